"""Batch normalization over the batches of all processes, on GPUs and on CPUs."""

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _SumOverProcesses(torch.autograd.Function):
    """An all_reduce that gradients pass through: each process's input is in every process's output."""

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


def _sum_over_processes(tensor: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(tensor)
    return total


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """Normalize by the batches of all processes, on any device.

    torch's own SyncBatchNorm trains on GPUs only. This one is written with two sums over the processes, first for
    the mean and then for the variance around it: slower, and as exact as one process.
    """

    # All batch normalization of dlv3 tracks its statistics by a momentum, so none of these is None.
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor
    momentum: float

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        if not self.training:
            return super().forward(x)
        x32 = x.float()
        count = _sum_over_processes(x32.new_tensor(x32.numel() / x32.shape[1]))
        mean = _sum_over_processes(x32.sum(dim=(0, 2, 3))) / count  # (C)
        centred = x32 - mean[:, None, None]
        variance = _sum_over_processes(centred.square().sum(dim=(0, 2, 3))) / count  # (C), biased
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
