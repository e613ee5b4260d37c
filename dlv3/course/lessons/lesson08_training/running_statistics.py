"""Batch normalization's running statistics as one row of numbers: collected, averaged again, and put back."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

MOMENTUM = 0.1
"""PyTorch's, with which the lesson's training collects them."""


def _norms(model: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def _slots(model: nn.Module) -> list[Tensor]:
    slots = [slot for norm in _norms(model) for slot in (norm.running_mean, norm.running_var)]
    return [slot for slot in slots if slot is not None]


def statistics(model: nn.Module) -> Tensor:
    """Return all running means and variances of a model in one row, float64."""
    return torch.cat(_slots(model)).double()


def replay(collected: Sequence[Tensor], momentum: float) -> Tensor:
    """Return the running statistics that another momentum would have collected in the same training.

    Each update left `running ← 0.9 running + 0.1 batch`, so the batches' own statistics can be got back.

    Args:
        collected: the rows of `statistics` before the first update and after each.
        momentum: in PyTorch's sense.
    """
    running = collected[0]
    for before, after in pairwise(collected):
        batch = (after - (1 - MOMENTUM) * before) / MOMENTUM
        running = (1 - momentum) * running + momentum * batch
    return running


@torch.no_grad()
def put(model: nn.Module, row: Tensor) -> None:
    """Give a model the running statistics of a row."""
    slots = _slots(model)
    for slot, values in zip(slots, row.split([len(slot) for slot in slots]), strict=True):
        slot.copy_(values)
