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

_START = "start several processes with torchrun, or unset WORLD_SIZE and RANK for one"


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

    Raises:
        ValueError: the device is not there, the variables that torchrun sets hold something else, or the other
            processes cannot be reached.
    """
    if dist.is_initialized() or processes_started() == 1:
        yield Processes(choose_device(device_name), *_place())
        return
    rank_given()
    _of_environment("MASTER_PORT")
    device = choose_device(device_name)
    if device.type == "cuda":
        device = choose_device(f"cuda:{_of_environment('LOCAL_RANK', '0')}")
        torch.cuda.set_device(device)
    try:
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (ValueError, dist.DistError) as error:
        reason = re.split(r"\. |\n", str(error).strip())[0]
        raise ValueError(f"the processes of torchrun cannot be joined: {reason}; {_START}") from error
    try:
        yield Processes(device, *_place())
    finally:
        dist.destroy_process_group()


def processes_started() -> int:
    """Return the number of processes that torchrun says it started; 1 without it.

    Raises:
        ValueError: the variable WORLD_SIZE of the environment holds something else.
    """
    return _of_environment("WORLD_SIZE", "1", least=1)


def rank_given() -> int:
    """Return this process's rank among those that torchrun started; 0 without it.

    Raises:
        ValueError: the variable RANK of the environment holds something else.
    """
    return _of_environment("RANK", most=processes_started() - 1) if processes_started() > 1 else 0


def _of_environment(name: str, default: str = "", *, least: int = 0, most: int = 65_535) -> int:
    text = os.environ.get(name, default)
    allowed = text.isdecimal() and least <= int(text[:9]) <= most
    require(f"environment variable {name}", text, allowed, f"{least} to {most}; {_START}")
    return int(text)


def _place() -> tuple[int, int]:
    return (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
