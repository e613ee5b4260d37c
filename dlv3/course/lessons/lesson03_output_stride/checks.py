"""Checks of lesson 03, output stride."""

from collections.abc import Callable
from typing import Any, TypedDict

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3 import resnet
from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, unfinished, written


@exercise("03/map-side", title="The side of the map", difficulty=1, minutes=2)
def map_side(attempt: Callable[[int, int], int]) -> str:
    for size, output_stride in ((129, 8), (129, 32), (513, 16), (500, 16), (64, 16)):
        want = -(-size // output_stride)
        down = size // output_stride
        hints = {
            down
            + 1: f"There is one too many: {size} is a multiple of {output_stride}, and the samples lie at 0, "
            f"{output_stride}, … up to {(want - 1) * output_stride}.",
            down: "That is rounded down. The last sample counts too, although its cell extends beyond the picture.",
            size / output_stride: "A map has a whole number of samples.",
        }
        equal(attempt(size, output_stride), want, written("map_side", (size, output_stride)), hints)
    return "Rounded up: samples lie at 0, s, 2s, … as long as they lie on the picture."


def _truth(labels: Tensor, size: Any, num_classes: int, **options: Any) -> Tensor:
    one_hot = F.one_hot(labels, num_classes).permute(0, 3, 1, 2).float()  # (N, C, h, w)
    return F.interpolate(one_hot, size=size, **options)


@exercise("03/upsampled-truth", title="The true labels, seen through the map", difficulty=3, minutes=6)
def upsampled_truth(attempt: Callable[[Tensor, int, int], Tensor]) -> str:
    generator = torch.Generator().manual_seed(0)
    patches = torch.randint(0, 5, (2, 5, 5), generator=generator)
    masks = patches.repeat_interleave(7, 1).repeat_interleave(7, 2)[:, :33, :33]  # (2, 33, 33)
    call = "`upsampled_truth(masks, 8, 5)`"
    got = answers.tensor(attempt(masks.clone(), 8, 5), call)
    sampled, size = masks[:, ::8, ::8], masks.shape[1:]
    require(
        got.shape != (2, 5, 33, 33),
        f"{call} still has a score for each class: take the class of the largest one, `.argmax(1)`.",
    )
    require(
        got.shape == masks.shape,
        f"{call} has the shape {tuple(got.shape)}, but the masks have {tuple(masks.shape)}. "
        "Upsample to the masks' own height and width.",
    )
    scores = _truth(sampled, size, 5, mode="bilinear", align_corners=True)
    got = got.long()
    if int(got.min()) >= 0 and int(got.max()) < 5:
        chosen = scores.gather(1, got[:, None])[:, 0]
        if bool((chosen >= scores.amax(1) - 1e-5).all()):  # either of two classes with equal scores
            return "This is what remains of the truth when the map knows it only at its own samples."
    raise Wrong(_wrong_truth(got, masks, sampled))


def _wrong_truth(got: Tensor, masks: Tensor, sampled: Tensor) -> str:
    size = masks.shape[1:]
    numbers = F.interpolate(sampled[:, None].float(), size=size, mode="bilinear", align_corners=True)[:, 0]
    blurred = F.interpolate(sampled[:, None].float(), size=size, mode="bilinear")[:, 0]
    shifted = _truth(sampled, size, 5, mode="bilinear", align_corners=False).argmax(1)
    averages = [make(n) for n in (numbers, blurred) for make in (torch.round, torch.trunc)]
    if any(torch.equal(got, average.long()) for average in averages):
        return (
            "You interpolate the classes' numbers: half-way between 1 (disc) and 5 (cross) lies 3, a triangle, "
            "which is nowhere near. Turn the labels into one map per class first: `F.one_hot`."
        )
    if torch.equal(got, masks):
        return "These are the full labels. Sample them first: `masks[:, ::stride, ::stride]`."
    nearest = (_truth(sampled, size, 5, mode=mode).argmax(1) for mode in ("nearest", "nearest-exact"))
    if any(torch.equal(got, labels) for labels in nearest):
        return "This is nearest-neighbour upsampling: ask `F.interpolate` for `mode='bilinear'`."
    if torch.equal(got, shifted):
        return (
            "Almost: your map lies half a cell off. Sample 0 was taken on pixel 0 and the last one on the last "
            "pixel, and `align_corners=True` puts them back there."
        )
    return (
        "The shape is right, the labels are not. Sample, `F.one_hot`, move the classes to axis 1, upsample "
        "bilinearly with `align_corners=True`, take the `argmax` over axis 1."
    )


def _two(x: Tensor, w1: Tensor, w2: Tensor, rates: tuple[int, int]) -> Tensor:
    y = F.conv2d(x, w1, padding=rates[0], dilation=rates[0])
    return F.conv2d(y, w2, padding=rates[1], dilation=rates[1])


@exercise("03/two-convolutions", title="Two convolutions without the stride", difficulty=2, minutes=5)
def two_convolutions(attempt: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(1, 2, 17, 17, generator=generator, dtype=torch.float64)
    w1, w2 = (torch.randn(2, 2, 3, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    call = written("dense", (x, w1, w2))
    got = attempt(x, w1, w2)
    unfinished(got, call)
    shape = tuple(getattr(got, "shape", ()))
    require(shape != (1, 2, 9, 9), f"{call} has the shape {shape}: there is still a stride of 2.")
    rates_11 = (
        "Both rates are 1: `w2` now looks at samples 1 pixel apart, but in `strided` they were 2 apart."
    )
    rates_22 = (
        "`w1` has rate 2, but it reads the picture itself, whose samples did not move. Only what comes after the "
        "lost stride has to step over the new samples."
    )
    rates_21 = "The rate belongs to the other filter: `w1` reads the picture, `w2` the map that became dense."
    slips = [
        (_two(x, w1, w2, (1, 1)), rates_11),
        (_two(x, w1, w2, (2, 2)), rates_22),
        (_two(x, w1, w2, (2, 1)), rates_21),
    ]
    padding = "An atrous 3×3 filter keeps the size when its padding equals its rate."
    hint = answers.hint_for(got, slips) or padding
    close(got, _two(x, w1, w2, (1, 2)), call, tolerance=1e-9, hint=hint)
    return "Every second sample is the strided result, and no weight is new."


def strides_into_rates(
    strides: tuple[int, ...], output_stride: int, *, own: bool = False, late: bool = False, most: int = 10**6
) -> list[tuple[int, int]]:
    """Return the pair (stride, rate) of each layer; the options bring in the usual mistakes."""
    reached, rate, result = 1, 1, []
    for stride in strides:
        if (reached if late else reached * stride) <= output_stride:
            reached *= stride
            result.append((stride, rate))
        else:
            result.append((1, rate * stride if own else rate))
            rate = min(rate * stride, most)
    return result


class _Slip(TypedDict, total=False):
    """An option of `strides_into_rates`."""

    own: bool
    late: bool
    most: int


def _mistake(pairs: list[tuple[int, int]], strides: tuple[int, ...], output_stride: int) -> str:
    mistakes: dict[str, _Slip] = {
        "There is one stride too many: compare `output_stride` with what the stride would lead to, not with what "
        "is reached before it.": {"late": True},
        "The layer that loses its stride takes the doubled rate at once. But it reads the map from before its "
        "stride, where nothing has changed: double the rate for the layers after it.": {"own": True},
        "Rates multiply: after two lost strides of 2 the samples lie 4 times as close.": {"most": 2},
    }
    for message, options in mistakes.items():
        if pairs == strides_into_rates(strides, output_stride, **options):
            return message
    return ""


@exercise("03/strides-and-rates", title="Strides into rates", difficulty=3, minutes=7)
def strides_and_rates(attempt: Callable[[tuple[int, ...], int], list[tuple[int, int]]]) -> str:
    cases = [((2, 1, 1), 1), ((2, 1, 1), 2), ((1, 2, 1, 2, 1), 1), ((2, 2, 1, 2, 1, 2, 1), 4)]
    for strides, output_stride in [*cases, ((2, 2, 1, 2, 1, 2, 1), 8)]:
        want = strides_into_rates(strides, output_stride)
        call = written("strides_and_rates", (strides, output_stride))
        got = attempt(strides, output_stride)
        unfinished(got, call)
        pairs = [(stride, rate) for stride, rate in got]
        require(
            len(pairs) == len(want),
            f"{call} gives {len(pairs)} pairs for {len(want)} layers: each needs one, even if its stride is lost.",
        )
        if pairs != want:
            hint = _mistake(pairs, strides, output_stride)
            raise Wrong(f"{call} gives {pairs}, but it should be {want}. {hint}".rstrip())
    return "This loop is all there is to the output stride: timm, torchvision and dlv3 all contain it in some form."


@exercise("03/first-unit", title="Which rate the first unit takes", difficulty=2, minutes=4)
def first_unit(attempt: dict[str, tuple[int, int]]) -> str:
    given = answers.entries(attempt, ("own", "before"))
    where = {
        "own": "B1 itself has the stride, so B1 reads the map from before it",
        "before": "A2 has the stride, so B1 already reads the map from behind it",
    }
    for layout, right in (("own", (1, 2)), ("before", (2, 2))):
        rates = tuple(given[layout])
        require(
            rates == right,
            f"With the layout `{layout}` the rates {rates} are not exact: look at what "
            f'`gap("{layout}", {rates})` gives. {where[layout]}.',
        )
    return (
        "There is one rule: a layer's rate is the product of the strides lost before it, its own not counted."
    )


@exercise("03/base-rate", title="The table of base rates", difficulty=1, minutes=3)
def base_rate(attempt: Callable[[int, int], int]) -> str:
    for output_stride in (16, 8, 32, 256, 4):
        for block in range(2, 8):
            want = resnet.base_rate(block, output_stride)
            nominal = 4 * 2 ** (block - 1)
            stride = f"block{block}'s nominal stride is {nominal}"
            hints = {
                0: "A rate is at least 1: this block keeps its strides.",
                nominal / output_stride: "This block does not have to be denser: its rate stays 1.",
                max(1, 2 * nominal // output_stride): f"That is twice too much: {stride}.",
                max(1, nominal // 2 // output_stride): f"That is half of it: {stride}.",
            }
            call = written("base_rate", (block, output_stride))
            got = attempt(block, output_stride)
            equal(got, want, call, hints)
            answers.whole_rates([got], call)
    return "The same table as in the paper's section 3.2."


@exercise("03/multiply-adds", title="What a convolution costs", difficulty=1, minutes=3)
def multiply_adds(attempt: Callable[..., int]) -> str:
    for k, rate, c_in, c_out, side in ((3, 1, 64, 64, 33), (3, 4, 512, 512, 65), (1, 1, 256, 64, 17)):
        weights, effective = k * k * c_in * c_out, k + (k - 1) * (rate - 1)
        spread = effective**2 * c_in * c_out * side**2
        hints = {
            2
            * weights
            * side**2: "That is twice too much: one multiply-add is a product and a sum, counted together.",
            weights: "That is the number of weights. Each of them is used once at every output sample.",
            spread: "You count the effective kernel, but between the taps of an atrous filter nothing is multiplied.",
            weights * side: "The map has two axes.",
        }
        call = written("multiply_adds", (k, rate, c_in, c_out, side))
        equal(attempt(k, rate, c_in, c_out, side), weights * side**2, call, hints)
    return "The rate is not in the formula: what an atrous filter costs depends on the size of the map."
