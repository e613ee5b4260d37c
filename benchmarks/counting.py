"""Count a network's arithmetic with torch, and the part of it that meets real values instead of padding."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import torch
from torch.utils.flop_counter import FlopCounterMode

aten = torch.ops.aten
Shape = Sequence[int]


@dataclass(frozen=True)
class Operations:
    """Floating-point operations, two for each multiply-add."""

    all: int
    """As torch counts them: every weight at every position."""
    useful: int
    """Without those in which a convolution's weight lies on padding. At high rates these are many, and a good
    convolution skips them."""


def count(run: Callable[[], object]) -> Operations:
    """Count the operations of a call, forward and backward if it has one. On the meta device nothing is computed."""
    with FlopCounterMode(display=False) as every:
        run()
    formulas = {aten.convolution: _convolution, aten.convolution_backward: _convolution_backward}
    with FlopCounterMode(display=False, custom_mapping=formulas) as met:
        run()
    return Operations(every.get_total_flops(), met.get_total_flops())


def useful(images: Shape, weight: Shape, out: Shape, stride: Shape, padding: Shape, rate: Shape) -> int:
    """Count a convolution's operations that meet a real value.

    Args:
        images, weight, out: shapes, (N, C_in, H, W), (C_out, C_in / groups, k, k) and (N, C_out, h, w).
        stride, padding, rate: along both axes.
    """
    axes = zip(images[2:], weight[2:], out[2:], stride, padding, rate, strict=True)
    return 2 * images[0] * weight[0] * weight[1] * prod(_meetings(*axis) for axis in axes)


@cache
def _meetings(side: int, taps: int, out: int, stride: int, padding: int, rate: int) -> int:
    """Count the pairs of a weight and an output, along one axis, that meet on a real value."""
    return sum(
        0 <= position * stride - padding + tap * rate < side for position in range(out) for tap in range(taps)
    )


def _convolution(
    images: Shape,
    weight: Shape,
    bias: Shape | None,
    stride: Shape,
    padding: Shape,
    rate: Shape,
    *args: object,
    out_shape: Shape,
    **kwargs: object,
) -> int:
    return useful(images, weight, out_shape, stride, padding, rate)


def _convolution_backward(
    gradient: Shape,
    images: Shape,
    weight: Shape,
    bias: Shape | None,
    stride: Shape,
    padding: Shape,
    rate: Shape,
    transposed: bool,
    output_padding: Shape,
    groups: int,
    wanted: Sequence[bool],
    **kwargs: object,
) -> int:
    # The gradient for the images takes as many multiplications again, and so does the gradient for the weights.
    return sum(wanted[:2]) * useful(images, weight, gradient, stride, padding, rate)
