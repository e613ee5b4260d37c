"""Checks of lesson 11: ASPP's rates, mirror images, several scales, folding, the ways that are worth their price."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for, several, whole_rates
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, unfinished, written
from dlv3.evaluation.inference import resize_images, scaled_size

LogitsOf = Callable[[Tensor], Tensor]


def rates_at(rates: tuple[int, ...], output_stride: int) -> tuple[int, ...]:
    """Return ASPP's rates, which are stated at output stride 16, at another one."""
    scaled = [rate * 16 / output_stride for rate in rates]
    if any(rate != int(rate) or rate < 1 for rate in scaled):
        raise ValueError(f"rates {rates} have no equal at output stride {output_stride}")
    return tuple(int(rate) for rate in scaled)


@exercise("11/rates-at", title="ASPP's rates at another output stride", difficulty=1, minutes=5)
def check_rates_at(attempt: Callable[[tuple[int, ...], int], tuple[int, ...]]) -> str:
    for rates, output_stride in (((6, 12, 18), 16), ((6, 12, 18), 8), ((2, 4, 6), 4), ((6, 12, 18), 32)):
        call = written("rates_at", (rates, output_stride))
        found = attempt(rates, output_stride)
        unfinished(found, call)
        got = tuple(found)
        turned = tuple(rate * output_stride / 16 for rate in rates)
        hints = {
            turned: "This is the wrong way round: on a finer map a step is fewer pixels, so the rate must grow.",
            rates: "Those are the rates at output stride 16. A rate counts steps of the map.",
            tuple(2 * rate for rate in rates): "Doubling is right at output stride 8 only.",
        }
        equal(got, rates_at(rates, output_stride), call, hints)
        whole_rates(got, call)
    try:
        rounded = attempt((1, 2, 3), 32)
    except ValueError:
        return "One set of weights, and the same places in the picture at every output stride."
    raise Wrong(
        f"{written('rates_at', ((1, 2, 3), 32))} gives {rounded}, but half of 1 is not a rate. Raise a `ValueError`: "
        "rounded rates would read other places than the ones that were trained."
    )


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


@exercise("11/mirrored", title="Mirror images", difficulty=2, minutes=6)
def check_mirrored(attempt: Callable[[LogitsOf, Tensor], Tensor]) -> str:
    net, images = _toy(), _pictures(6, 9)
    call = "`mirrored(logits_of, images)` of two pictures of 6 × 9"
    got = attempt(net, images.clone())
    unfinished(got, call)
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


@exercise("11/multi-scale", title="Several scales", difficulty=3, minutes=10)
def check_multi_scale(attempt: Callable[[LogitsOf, Tensor, tuple[float, ...]], Tensor]) -> str:
    net, images = _toy(), _pictures(8, 12)
    for scales in ((1.0,), (0.5, 1.0, 1.75)):
        call = f"`multi_scale(logits_of, images, {scales})` of two pictures of 8 × 12"
        got = attempt(net, images.clone(), scales)
        unfinished(got, call)
        hint = hint_for(got, _scale_slips(net, images, scales), 1e-9)
        close(got, multi_scale(net, images, scales), call, tolerance=1e-9, hint=hint)
    return "For any number of scales, you keep only one sum of probabilities at the picture's size."


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
            "You take the softmax on the small map and stretch probabilities. Stretch the logits, as in training, then "
            "take the softmax.",
        ),
        (
            mean(back(x) for x in small).softmax(1),
            "You take the mean of the logits: softmax first, one vote for each scale.",
        ),
        (torch.stack(votes).sum(0), "That is a sum: divide by the number of scales."),
        (
            mean(back(x, True).softmax(1) for x in small),
            "`align_corners=True` stretches from corner to corner: it moves each view by a different part of a pixel. "
            "Use `align_corners=False`.",
        ),
    ]


def folded(
    weight: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the convolution that does the work of batch normalization too."""
    scale = gamma / torch.sqrt(variance + eps)
    return weight * scale[:, None, None, None], beta - mean * scale


@exercise("11/fold", title="Fold batch normalization in", difficulty=2, minutes=8)
def check_fold(attempt: Callable[..., tuple[Tensor, Tensor]]) -> str:
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(4, 4, 3, 3, generator=generator, dtype=torch.float64)
    gamma, beta, mean = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    variance = torch.rand(4, generator=generator, dtype=torch.float64) + 0.05
    eps = 0.1
    statistics = (gamma, beta, mean, variance, eps)
    call = "`fold(weight, gamma, beta, mean, variance, eps)`"
    got = several(attempt(weight.clone(), *statistics), call, 2, "two tensors, weight and bias")
    scale = gamma / torch.sqrt(variance + eps)
    without = gamma / torch.sqrt(variance)
    outer = (slice(None), None, None, None)
    weight_slips = [
        (
            weight * scale[None, :, None, None],
            "The scale went to the *input* channels. A filter's outputs are its first dimension.",
        ),
        (
            weight * (gamma / (variance + eps))[outer],
            "Divide by the standard deviation, the root of `variance + eps`.",
        ),
        (weight * without[outer], "`eps` is missing under the root: the layer has it too."),
        (weight / torch.sqrt(variance + eps)[outer], "`gamma` is missing."),
    ]
    bias_slips = [
        (beta - mean, "The running mean passes through the scale as well: `mean * scale`."),
        (beta + mean * scale, "The mean is *subtracted* from the output."),
        ((beta - mean) * scale, "`beta` is added after the scale: it is not scaled."),
    ]
    of_weight, of_bias = folded(weight, *statistics)
    close(got[0], of_weight, "the weight", tolerance=1e-9, hint=hint_for(got[0], weight_slips, 1e-9))
    close(got[1], of_bias, "the bias", tolerance=1e-9, hint=hint_for(got[1], bias_slips, 1e-9))
    return "One operation instead of two, and not an approximation."


def worth_it(ways: dict[str, tuple[float, float]]) -> list[str]:
    """Return the names of the ways that no other beats, from cheap to expensive."""
    kept: list[str] = []
    best = float("-inf")
    for name in sorted(ways, key=lambda name: (ways[name][0], -ways[name][1])):
        if ways[name][1] > best:
            kept.append(name)
            best = ways[name][1]
    return kept


@exercise("11/worth-it", title="What is worth its price", difficulty=2, minutes=8)
def check_worth_it(attempt: Callable[[dict[str, tuple[float, float]]], list[str]]) -> str:
    cases = (
        {"a": (1.0, 60.0), "b": (3.0, 68.0), "c": (4.0, 66.0), "d": (9.0, 70.0)},
        {"dear": (9.0, 71.0), "cheap": (1.0, 60.0), "same": (1.0, 55.0), "waste": (10.0, 71.0)},
    )
    for ways in cases:
        got = attempt(dict(ways))
        call = f"`worth_it({ways})`"
        unfinished(got, call)
        want = worth_it(ways)
        order = "These are the right ones; list them from cheap to expensive."
        hints = {tuple(name): order for name in [sorted(want, reverse=True), want[::-1]] if name != want}
        best = max(ways, key=lambda name: ways[name][1])
        hints[(best,)] = "The best score is one of them, but a cheaper way can be worth its price too."
        by_price = sorted(ways, key=lambda name: ways[name][0])
        hints[tuple(by_price)] = "Some of these cost more than another and do not score more."
        equal(tuple(got), tuple(want), call, hints)
    return "Every other way costs more than one that is at least as good."
