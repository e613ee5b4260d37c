"""Training on several GPUs or machines: one process each, started by torchrun.

    torchrun --nproc-per-node 8 -m dlv3 train --preset paper --data voc:data/voc --out runs/paper

Each process reads its share of the global batch (`sampling`), batch normalization is computed over all of it
(`sync_batch_norm`), and the gradients are averaged: the same update as in one process, except for the order of
summation.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from dlv3.fields import require
from dlv3.ranges import DEVICE


@dataclass(frozen=True)
class Processes:
    """This process's place among the processes that train together."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """True for the process that writes files and shows progress."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        """True where other processes train too."""
        return self.count > 1

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place."""
        if self.several:
            dist.all_reduce(tensor)
        return tensor

    def any(self, condition: bool) -> bool:
        """Tell whether a condition holds in any process. Waits for the others, and for the GPU."""
        return bool(self.sum(torch.tensor(float(condition), device=self.device)).item())

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.several:
            self.any(False)


def choose_device(name: str) -> torch.device:
    """Return the device that a configuration asks for.

    Args:
        name: auto, cpu, cuda, cuda:1 or mps; auto is a CUDA GPU where there is one.

    Raises:
        ValueError: this machine does not have the device.
    """
    require("device", name, DEVICE.allows(name), DEVICE.in_words())
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    # AssertionError: a torch built without CUDA.
    except (RuntimeError, AssertionError) as error:
        # Only the first sentence: torch goes on to list all its operators.
        reason = re.split(r"\. |\n", str(error).strip())[0]
        raise ValueError(
            f"device={name!r}: cannot be used on this machine ({reason}); give cpu, or another device"
        ) from error
    return device


@contextmanager
def joined(device_name: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, or be the only process.

    Args:
        device_name: as in `TrainingConfig.device`. Under torchrun each process takes the GPU of its local rank.

    Yields:
        This process's place; it leaves the group at the end.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield Processes(choose_device(device_name), *_place())
        return
    device = choose_device(device_name)
    if device.type == "cuda":
        device = choose_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(device, *_place())
    finally:
        dist.destroy_process_group()


def _place() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
