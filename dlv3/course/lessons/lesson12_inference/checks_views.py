"""Checks of lesson 12 on several views of a picture: mirror images and scales."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for, tensor
from dlv3.course.kit.exercises import Wrong, close, exercise
from dlv3.evaluation.inference import resize_images, scaled_size

LogitsOf = Callable[[Tensor], Tensor]


def mirrored(logits_of: LogitsOf, images: Tensor) -> Tensor:
    """Return the mean probabilities of the images and their mirror images."""
    plain = F.softmax(logits_of(images), 1)
    return (plain + F.softmax(logits_of(images.flip(3)), 1).flip(3)) / 2


def _toy(channels: int = 3) -> LogitsOf:
    """Return a network without symmetry that takes any size."""
    weight = torch.randn(channels, 3, 3, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return lambda images: 2 * F.conv2d(images, weight, padding=1)


def _pictures(height: int, width: int) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@exercise("12/mirrored", title="Mirror images", difficulty=2, minutes=6)
def check_mirrored(attempt: Callable[[LogitsOf, Tensor], Tensor]) -> str:
    net, images = _toy(), _pictures(6, 9)
    call = "`mirrored(logits_of, images)` of two pictures of 6 × 9"
    got = tensor(attempt(net, images.clone()), call)
    a, b = net(images), net(images.flip(3))
    first, second, below = a.softmax(1), b.softmax(1), net(images.flip(2)).softmax(1).flip(2)
    mean_of_logits = (a + b.flip(3)) / 2
    slips = [
        (
            (first + second) / 2,
            "You have not mirrored the second answer back: pixel for pixel it describes the mirror image.",
        ),
        (
            mean_of_logits.softmax(1),
            "You take the mean of the logits. Take each view's softmax first, then the mean: a view that is very sure "
            "should not outvote the other by the size of its logits.",
        ),
        *(((a.softmax(axis) + b.softmax(axis).flip(3)) / 2, _axis(axis)) for axis in (0, 2, 3)),
        (mean_of_logits, "These are logits: take the softmax over dimension 1."),
        (first + second.flip(3), "That is the sum of two views; the mean adds up to 1 over the classes."),
        ((first + below) / 2, "You mirror top to bottom. Left to right is the last dimension, 3."),
    ]
    close(got, mirrored(net, images), call, tolerance=1e-9, hint=hint_for(got, slips, 1e-9))
    return "Two views of one picture, each with one vote."


def multi_scale(logits_of: LogitsOf, images: Tensor, scales: tuple[float, ...]) -> Tensor:
    """Return the mean probabilities over scales, at the images' size."""
    size = (images.shape[2], images.shape[3])
    total = torch.zeros(())
    for scale in scales:
        logits = logits_of(resize_images(images, scaled_size(size, scale)))
        logits = F.interpolate(logits, size=size, mode="bilinear", align_corners=False)
        total = total + F.softmax(logits, 1)
    return total / len(scales)


@exercise("12/multi-scale", title="Several scales", difficulty=3, minutes=10)
def check_multi_scale(attempt: Callable[[LogitsOf, Tensor, tuple[float, ...]], Tensor]) -> str:
    net = _toy()
    cases = (
        ((1.0,), (8, 12)),
        ((0.5, 1.0, 1.75), (8, 12)),
        ((0.75, 1.25), (9, 13)),  # 9 · 0.75 is 6.75, and 13 · 0.75 is 9.75: rounding shows
    )
    for scales, (height, width) in cases:
        images = _pictures(height, width)
        call = f"`multi_scale(logits_of, images, {scales})` of two pictures of {height} × {width}"
        try:
            got = tensor(attempt(net, images.clone(), scales), call)
        except RuntimeError as error:
            if "must match the size" not in str(error):
                raise
            raise Wrong(
                f"{call} stops: {error}. Each scale gives a map of another size: upsample it to the pictures' own "
                "height and width before you add."
            ) from None
        hint = hint_for(got, _scale_slips(net, images, scales), 1e-9)
        close(got, multi_scale(net, images, scales), call, tolerance=1e-9, hint=hint)
    return "For any number of scales, you keep only one sum of probabilities at the picture's size."


def _cut(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Return a size at a scale, rounded down: a usual mistake."""
    return int(size[0] * scale), int(size[1] * scale)


def _rough(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize without smoothing: a usual mistake."""
    return F.interpolate(images, size=size, mode="bilinear", align_corners=False)


def _axis(axis: int) -> str:
    return f"The softmax runs over axis {axis}. The classes are on axis 1."


def _scale_slips(net: LogitsOf, images: Tensor, scales: tuple[float, ...]) -> list[tuple[Tensor, str]]:
    size = (images.shape[2], images.shape[3])

    def back(maps: Tensor, align: bool = False) -> Tensor:
        return F.interpolate(maps, size=size, mode="bilinear", align_corners=align)

    small = [net(resize_images(images, scaled_size(size, scale))) for scale in scales]

    def mean(views: Iterable[Tensor]) -> Tensor:
        return torch.stack(list(views)).mean(0)

    votes = [back(x).softmax(1) for x in small]
    return [
        (
            mean(back(x.softmax(1)) for x in small),
            "You take the softmax on the small map and upsample probabilities. Upsample the logits, as in training, "
            "then take the softmax.",
        ),
        (
            mean(back(x) for x in small).softmax(1),
            "You take the mean of the logits: softmax first, one vote for each scale.",
        ),
        (
            mean(back(net(resize_images(images, _cut(size, scale)))).softmax(1) for scale in scales),
            "You round sizes down. At 0.75 a side of 9 is 6.75, nearer to 7: `scaled_size(size, scale)` rounds to the "
            "nearest pixel.",
        ),
        *((mean(back(x).softmax(axis) for x in small), _axis(axis)) for axis in (0, 2, 3)),
        (torch.stack(votes).sum(0), "That is a sum: divide by the number of scales."),
        (
            mean(back(net(_rough(images, scaled_size(size, scale)))).softmax(1) for scale in scales),
            "`F.interpolate` leaves out pixels where it shrinks the pictures. `resize_images(images, size)` smooths "
            "first.",
        ),
        (
            mean(back(x, True).softmax(1) for x in small),
            "`align_corners=True` stretches from corner to corner: it moves each view by a different part of a pixel. "
            "Use `align_corners=False`.",
        ),
    ]
