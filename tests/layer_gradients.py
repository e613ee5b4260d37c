"""Layers' inputs and gradients from seeds, the same for two ways of computing one thing."""

import torch
from torch import Tensor


def made(shape: tuple[int, ...], seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Normal noise that wants a gradient."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return noise.requires_grad_()


def gradients(output: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    """For an upstream gradient that depends on the output's shape alone."""
    upstream = torch.randn(output.shape, generator=torch.Generator().manual_seed(9), dtype=output.dtype)
    return torch.autograd.grad(output, inputs, upstream)
