"""Checks of lesson 03, output stride: the map's side, the labels seen through the map, costs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, equal, exercise, require, written


@exercise("03/map-side", title="The side of the map", difficulty=1, minutes=2)
def map_side(attempt: Callable[[int, int], int]) -> str:
    for size, output_stride in ((129, 8), (129, 32), (513, 16), (500, 16), (64, 16)):
        want = -(-size // output_stride)
        down, one_more = size // output_stride, size // output_stride + 1
        hints = {
            one_more: f"There is one too many: {size} is a multiple of {output_stride}, and samples lie at 0, "
            f"{output_stride}, … up to {(want - 1) * output_stride}.",
            down: "That is rounded down. The last sample counts too, although its cell extends beyond the picture.",
            size / output_stride: "A map has a whole number of samples.",
            (size - 1) / output_stride + 1: "A map has a whole number of samples: divide with `//`.",
            want**2: "Those are the samples of the whole map. Give its side.",
        }
        equal(attempt(size, output_stride), want, written("map_side", (size, output_stride)), hints)
    return "Rounded up: samples lie at 0, s, 2s, … as long as they lie on the picture."


def _truth(labels: Tensor, size: Any, num_classes: int, **options: Any) -> Tensor:
    one_hot = F.one_hot(labels, num_classes).permute(0, 3, 1, 2).float()  # (N, C, h, w)
    return F.interpolate(one_hot, size=size, **options)


def _labels(got: Tensor) -> Tensor:
    return got.long()


@exercise(
    "03/upsampled-truth",
    title="The true labels, seen through the map",
    difficulty=3,
    minutes=6,
    gives=_labels,
)
def upsampled_truth(attempt: Callable[[Tensor, int, int], Tensor]) -> str:
    generator = torch.Generator().manual_seed(0)
    patches = torch.randint(0, 5, (2, 5, 5), generator=generator)
    masks = patches.repeat_interleave(7, 1).repeat_interleave(7, 2)[:, :33, :33]  # (2, 33, 33)
    _sees(attempt, masks, 8, 5)
    _sees(attempt, masks, 4, 6)
    return "This is what remains of the truth when the map knows it only at its own samples."


def _sees(attempt: Callable[[Tensor, int, int], Tensor], masks: Tensor, stride: int, classes: int) -> None:
    call = f"`upsampled_truth(masks, {stride}, {classes})`"
    try:
        got = answers.tensor(attempt(masks.clone(), stride, classes), call)
    except NotImplementedError as error:
        if "Long" in str(error) or "Int" in str(error):
            raise Wrong(
                "`F.interpolate` cannot upsample whole numbers: make the maps floats with `.float()` before it."
            ) from None
        raise
    sampled, size = masks[:, ::stride, ::stride], masks.shape[1:]
    require(
        got.shape != (2, classes, 33, 33),
        f"{call} still has a score for each class: take the class of the largest one, `.argmax(1)`.",
    )
    require(
        got.shape not in ((2, classes, 33), (2, 33, classes)),
        f"{call} has the shape {tuple(got.shape)}: an axis of the picture is gone and the classes are still there. "
        "Take the `argmax` over the classes, axis 1.",
    )
    require(
        got.shape == masks.shape,
        f"{call} has the shape {tuple(got.shape)}, but the masks have {tuple(masks.shape)}. "
        "Upsample to the masks' own height and width.",
    )
    scores = _truth(sampled, size, classes, mode="bilinear", align_corners=True)
    got = got.long()
    if int(got.min()) >= 0 and int(got.max()) < classes:
        chosen = scores.gather(1, got[:, None])[:, 0]
        if bool((chosen >= scores.amax(1) - 1e-5).all()):  # either of two classes with equal scores
            return
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


@exercise("03/multiply-adds", title="What a convolution costs", difficulty=1, minutes=3)
def multiply_adds(attempt: Callable[..., int]) -> str:
    for k, rate, c_in, c_out, side in ((3, 1, 64, 64, 33), (3, 4, 512, 512, 65), (1, 1, 256, 64, 17)):
        weights, effective = k * k * c_in * c_out, k + (k - 1) * (rate - 1)
        right = weights * side**2
        spread = effective**2 * c_in * c_out * side**2
        hints = {
            2 * right: "That is twice too much: one multiply-add is a product and a sum, counted together.",
            weights: "That is the number of weights. Each of them is used once at every output sample.",
            spread: "You count the effective kernel, but between the taps of an atrous filter nothing is multiplied.",
            weights * side: "The map has two axes.",
            right // k: "A k×k filter has k² taps.",
            rate * right: "The rate moves the taps apart. It adds none.",
            right // c_in: "Every output channel reads every input channel: both numbers are factors.",
            k
            * k
            * (c_in + c_out)
            * side**2: "Every output channel reads every input channel: multiply the two.",
            weights
            * (side - k + 1)
            ** 2: "`side` is the side of the output already: one answer for each of its samples.",
        }
        call = written("multiply_adds", (k, rate, c_in, c_out, side))
        equal(attempt(k, rate, c_in, c_out, side), right, call, hints)
    return "The rate is not in the formula: what an atrous filter costs depends on the size of the map."
