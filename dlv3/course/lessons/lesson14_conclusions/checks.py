"""Checks of lesson 14: one layer's reach, a fair share of a gain, the band along the outlines."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from dlv3.course.kit.answers import as_rates, hint_for, number, several, tensor
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, written
from dlv3.course.lessons.lesson14_conclusions.boundaries import boundary_band


@exercise("14/head", title="One layer's weights and reach", difficulty=1, minutes=4, gives=as_rates)
def head(attempt: Callable[[int, int, int, int, int], tuple[int, int]]) -> str:
    for case in ((3, 512, 1024, 12, 8), (7, 512, 4096, 4, 8), (1, 2048, 256, 1, 16), (3, 8, 16, 18, 16)):
        kernel, channels_in, channels_out, rate, output_stride = case
        call = written("head", case)
        got = several(attempt(*case), call, 2, "two numbers, `(weights, reach)`")
        weights, reach = kernel**2 * channels_in * channels_out, (kernel - 1) * rate * output_stride
        effective = kernel + (kernel - 1) * (rate - 1)
        with_gaps = effective**2 * channels_in * channels_out
        of_weights = {
            kernel * channels_in * channels_out: "The kernel has two sides: `kernel_size ** 2`.",
            weights + channels_out: "Leave the biases out.",
            kernel**2 * channels_out: "Each filter reads all input channels.",
            kernel**2 * channels_in: "There is a filter for each output channel.",
            with_gaps: "A rate adds no weights: between the taps there is nothing.",
        }
        equal(got[0], weights, f"The number of weights of {call}", of_weights)
        whole = effective * output_stride
        of_reach = {
            (kernel - 1) * rate: "That is in samples of the map. One sample is `output_stride` pixels.",
            kernel * rate * output_stride: "Between k taps there are k − 1 steps.",
            (kernel - 1) * output_stride: "One step is `rate` samples.",
            whole: "That is the whole effective kernel. From first tap to last it is one sample less.",
        }
        equal(got[1], reach, f"The reach of {call}", of_reach)
    return "A rate adds reach and costs no weight."


def fair_shares_of(neither: float, first: float, second: float, both: float) -> tuple[float, float]:
    """Return the share of each: the mean, over the two orders, of what it adds."""
    of_first = (first - neither) + (both - second)
    of_second = (second - neither) + (both - first)
    return of_first / 2, of_second / 2


@exercise("14/fair-shares", title="A fair share of the gain", difficulty=2, minutes=6, gives=as_rates)
def fair_shares(attempt: Callable[[float, float, float, float], tuple[float, float]]) -> str:
    for case in ((60.0, 66.0, 64.0, 67.0), (50.0, 50.0, 50.0, 58.0), (40.0, 45.0, 41.0, 44.0)):
        neither, first, second, both = case
        call = written("fair_shares", case)
        got = several(attempt(*case), call, 2, "two numbers, a share of each")
        alone, last, want = (
            (first - neither, second - neither),
            (both - second, both - first),
            fair_shares_of(*case),
        )
        slips = [
            (
                alone,
                "That is what each adds on its own. In the other order it comes second and adds another amount; take "
                "the mean of the two orders.",
            ),
            (last, "That is what each adds after the other. It may come first as well; take the mean."),
            (
                (alone[0], last[1]),
                "That is one of two orders, the first before the second. Take the mean of both.",
            ),
            (
                (last[0], alone[1]),
                "That is one of two orders, the second before the first. Take the mean of both.",
            ),
            ((2 * want[0], 2 * want[1]), "There are two orders: divide by 2."),
        ]
        values = [float(number(value, call)) for value in got]
        close(values, list(want), call, tolerance=1e-9, hint=hint_for(values, slips, 1e-9))
    return "Whatever the interaction is, the two shares add up to the whole gain."


@exercise("14/band", title="The band along the outlines", difficulty=2, minutes=8)
def band(attempt: Callable[[Tensor, int], Tensor]) -> str:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(2, 12, 15, dtype=torch.long)
    masks[0, 3:8, 4:9], masks[0, 9, 12], masks[1, :, 10:] = 2, 5, 1
    noise = torch.randint(0, 3, (1, 7, 9), generator=generator)
    for given, width in ((masks, 1), (masks, 3), (noise, 1), (torch.full((1, 6, 6), 4), 2)):
        call = written("boundary_band", (given, width))
        try:
            got = attempt(given.clone(), width)
        except RuntimeError as error:
            if "pad should be" not in str(error):
                raise
            raise Wrong(
                f"{call} stops: {error}. A window that reaches `width` to each side is `2 * width + 1` wide."
            ) from None
        got = tensor(got, call)
        want = brute_band(given, width)
        require(
            got.shape == want.shape,
            f"{call} has the shape {tuple(got.shape)}, but it should be {tuple(want.shape)}. A window of "
            "`2 * width + 1` with a padding of `width` keeps the size.",
        )
        require(got.dtype == torch.bool, f"{call} is of {got.dtype}; a band is a mask of `torch.bool`.")
        require(torch.equal(got, want), f"{call}: {_band_slip(got, given, width, want)}")
    return "One maximum and one minimum: no loop over pixels and no search for edges."


def brute_band(masks: Tensor, width: int) -> Tensor:
    """Return the band by its definition, pixel by pixel."""
    band = torch.zeros_like(masks, dtype=torch.bool)
    for n, y, x in itertools.product(*map(range, masks.shape)):
        seen = masks[n, max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1]
        band[n, y, x] = seen.min() < seen.max()
    return band


def _band_slip(got: Tensor, masks: Tensor, width: int, want: Tensor) -> str:
    if bool(torch.equal(got, ~want)):
        return "That is the inside: the band is the rest."
    frame = torch.ones_like(want)
    frame[:, width:-width, width:-width] = False
    if bool((got & ~want).any()) and not bool((got & ~want & ~frame).any()):
        return (
            "The picture's border is not an outline. In your band what lies beyond it counts as a class of its own; "
            "`F.max_pool2d` pads with minus infinity, which is never the maximum."
        )
    for other in range(1, 2 * width + 2):
        if other != width and torch.equal(got, boundary_band(masks, other)):
            return f"Your band is {other} wide. A window that reaches `width` to each side is `2 * width + 1` wide."
    missing, extra = int((want & ~got).sum()), int((got & ~want).sum())
    if missing and not extra:
        return (
            f"{missing} pixels are missing. A boundary has two sides, and both are in the band; neighbours lie in "
            "all eight directions."
        )
    return f"{missing} pixels are missing and {extra} are too many. In the band the window has two classes or more."
