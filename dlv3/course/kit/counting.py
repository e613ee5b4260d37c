"""Multiply-adds of a module, counted by torch while it runs; on the `meta` device nothing is computed."""

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(module: Any, *inputs: Any) -> int:
    """Return the multiply-adds of one call of a module; torch counts each as two operations.

    Args:
        module: the module, or any function of tensors.
        inputs: what it is called with.
    """
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs)
    return int(counter.get_total_flops()) // 2
