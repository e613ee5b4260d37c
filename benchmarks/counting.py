"""How much arithmetic a network is: counted by torch, and how much of it meets real values instead of padding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import torch
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten


@dataclass(frozen=True)
class Operations:
    """Floating-point operations, two for each multiply-add."""

    all: int
    """As torch counts them: every weight at every position."""
    useful: int
    """Without those where a convolution's weight lies on padding. At high rates they are many, and a good
    convolution skips them."""


def count(run: Callable[[], object]) -> Operations:
    """Count a call's operations: forward, and backward if it has one. On the meta device nothing is computed."""
    with FlopCounterMode(display=False) as every:
        run()
    formulas = {aten.convolution: _convolution, aten.convolution_backward: _convolution_backward}
    with FlopCounterMode(display=False, custom_mapping=formulas) as useful:
        run()
    return Operations(every.get_total_flops(), useful.get_total_flops())


def _useful(
    images: Sequence[int],
    weight: Sequence[int],
    out: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    rate: Sequence[int],
) -> int:
    """Operations of a convolution of (N, C_in, H, W) by (C_out, C_in / groups, k, k) that meet a real value."""
    axes = zip(images[2:], weight[2:], out[2:], stride, padding, rate, strict=True)
    return 2 * images[0] * weight[0] * weight[1] * prod(_meetings(*axis) for axis in axes)


@cache
def _meetings(side: int, taps: int, out: int, stride: int, padding: int, rate: int) -> int:
    """Pairs of a weight and an output, along one axis, that meet on a real value."""
    return sum(
        0 <= position * stride - padding + tap * rate < side for position in range(out) for tap in range(taps)
    )


def _convolution(images, weight, bias, stride, padding, rate, *args, out_shape=None, **kwargs) -> int:
    return _useful(images, weight, out_shape, stride, padding, rate)


def _convolution_backward(
    gradient,
    images,
    weight,
    bias,
    stride,
    padding,
    rate,
    transposed,
    output_padding,
    groups,
    wanted,
    **kwargs,
) -> int:
    # The gradients of the images and of the weights each take every meeting of weight and value once more.
    return sum(wanted[:2]) * _useful(images, weight, gradient, stride, padding, rate)
