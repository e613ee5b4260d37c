"""Shared parts of the probes' and the studies' small networks: branches of equal size, a short training by Adam."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dlv3.fast import for_training
from dlv3.training.schedule import poly, warmup

CHANNELS = 64
WARMUP = 20
"""Iterations over which the learning rate rises to its full value."""


def shared_widths(branches: int) -> list[int]:
    """Return the widths of parallel branches that share `CHANNELS` channels: as many weights however many they are."""
    ends = [CHANNELS * (number + 1) // branches for number in range(branches)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]


def train_by_adam(net: nn.Module, iterations: int, learning_rate: float, loss: Callable[[], Tensor]) -> None:
    """Train a network with Adam, a warm-up and the poly schedule of power 0.9.

    Args:
        net: is trained in place.
        iterations: updates of the weights.
        learning_rate: its largest value.
        loss: draws a batch and returns its loss.
    """
    optimizer = torch.optim.Adam(for_training(net).parameters(), lr=learning_rate)
    for iteration in range(iterations):
        factor = poly(iteration, iterations, 0.9) * warmup(iteration, WARMUP)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * factor
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
