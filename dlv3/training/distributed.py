"""Training on several GPUs or machines: one process each, started by torchrun.

    torchrun --nproc-per-node 8 -m dlv3 train --preset paper --data voc:data/voc --out runs/paper

Each process reads its share of the global batch (`sampling`), batch normalization is computed over all of it, and
the gradients are averaged: the same update as one process makes, but for the order of summation.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        return self.count > 1

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.several:
            dist.all_reduce(tensor)
        return tensor

    def any(self, condition: bool) -> bool:
        """Whether it holds in any process. Waits for the others, and for the GPU."""
        return bool(self.sum(torch.tensor(float(condition), device=self.device)).item())

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.several:
            self.any(False)


def choose_device(name: str) -> torch.device:
    """The device that a configuration asks for.

    Raises:
        ValueError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # AssertionError: a torch built without CUDA
        reason = str(error).strip().splitlines()[0]
        raise ValueError(f"device={name!r}: cannot be used here ({reason}); try cpu") from error
    return device


@contextmanager
def joined(device_name: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, or be the only one.

    Args:
        device_name: as in `TrainingConfig.device`. Under torchrun each process takes the GPU of its local rank.

    Yields:
        This process's place; the group is left at the end.
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


class _SumOverProcesses(torch.autograd.Function):
    """all_reduce that gradients pass through: each process's input is in every process's output."""

    @staticmethod
    def forward(ctx: object, tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        dist.all_reduce(tensor)
        return tensor

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the batches of all processes, on any device.

    torch's own SyncBatchNorm trains on GPUs only. This one is written with two sums over the processes, first for
    the mean and then for the variance around it: slower, and as exact as one process.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        if not self.training:
            return super().forward(x)
        x32 = x.float()
        count = _SumOverProcesses.apply(x32.new_tensor(x32.numel() / x32.shape[1]))
        mean = _SumOverProcesses.apply(x32.sum(dim=(0, 2, 3))) / count  # (C)
        centred = x32 - mean[:, None, None]
        variance = _SumOverProcesses.apply(centred.square().sum(dim=(0, 2, 3))) / count  # (C), biased
        self._track(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(unbiased_variance, self.momentum)


def synchronise_batch_norm(model: nn.Module, device: torch.device) -> None:
    """Make each batch normalization see the global batch, in place. Names and weights stay as they are."""
    if device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
