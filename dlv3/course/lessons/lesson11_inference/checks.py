"""Checks of lesson 11: ASPP's rates, mirror images, several scales, folding, what is worth its price."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, unfinished, written
from dlv3.evaluation.inference import resize_images, scaled_size

LogitsOf = Callable[[Tensor], Tensor]


def rates_at(rates: tuple[int, ...], output_stride: int) -> tuple[int, ...]:
    """ASPP's rates, stated at output stride 16, at another one."""
    scaled = [rate * 16 / output_stride for rate in rates]
    if any(rate != int(rate) or rate < 1 for rate in scaled):
        raise ValueError(f"rates {rates} have no equal at output stride {output_stride}")
    return tuple(int(rate) for rate in scaled)


@exercise("11/rates-at", title="ASPP's rates at another output stride", difficulty=1, minutes=5)
def check_rates_at(attempt: Callable[[tuple[int, ...], int], tuple[int, ...]]) -> str:
    for rates, output_stride in (((6, 12, 18), 16), ((6, 12, 18), 8), ((2, 4, 6), 4), ((6, 12, 18), 32)):
        call = written("rates_at", (rates, output_stride))
        got = attempt(rates, output_stride)
        unfinished(got, call)
        got = tuple(got)
        turned = tuple(rate * output_stride / 16 for rate in rates)
        equal(
            got,
            rates_at(rates, output_stride),
            call,
            {
                turned: "The wrong way round: on a finer map a step is fewer pixels, so the rate must grow.",
                rates: "Those are the rates at output stride 16. A rate counts steps of the map.",
                tuple(2 * rate for rate in rates): "Twice the rates are right at output stride 8 alone.",
            },
        )
        require(
            all(isinstance(rate, int) for rate in got),
            f"{call} holds {got}: a rate has to be an `int`, not a `float`.",
        )
    try:
        got = attempt((1, 2, 3), 32)
    except ValueError:
        return "One set of weights, and the same places in the picture at every output stride."
    raise Wrong(
        f"{written('rates_at', ((1, 2, 3), 32))} gives {got}, but half of 1 is no rate. Raise a `ValueError`: rounded "
        "rates would read other places than the ones that were trained."
    )


def mirrored(logits_of: LogitsOf, images: Tensor) -> Tensor:
    """Mean probabilities of the images and their mirror images."""
    plain = F.softmax(logits_of(images), 1)
    return (plain + F.softmax(logits_of(images.flip(3)), 1).flip(3)) / 2


def _toy(channels: int = 3) -> LogitsOf:
    """A network without symmetry, that takes any size."""
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
    soft = lambda logits: F.softmax(logits, 1)  # noqa: E731
    slips = {
        "You have not mirrored the second answer back: pixel for pixel it describes the mirror image.": (
            soft(a) + soft(b)
        )
        / 2,
        "You take the mean of the logits. Take each view's softmax first, then the mean: a view that is very sure "
        "should not outvote the other by the size of its logits.": soft((a + b.flip(3)) / 2),
        "These are logits: take the softmax over dimension 1.": (a + b.flip(3)) / 2,
        "That is the sum of two views; the mean adds up to 1 over the classes.": soft(a) + soft(b).flip(3),
        "You mirror top to bottom. Left to right is the last dimension, 3.": (
            soft(a) + soft(net(images.flip(2))).flip(2)
        )
        / 2,
    }
    close(got, mirrored(net, images), call, tolerance=1e-9, hint=_slip(got, slips))
    return "Two views of one picture, each with one vote."


def multi_scale(logits_of: LogitsOf, images: Tensor, scales: tuple[float, ...]) -> Tensor:
    """Mean probabilities over scales, at the images' size."""
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
        hint = _slip(got, _scale_slips(net, images, scales))
        close(got, multi_scale(net, images, scales), call, tolerance=1e-9, hint=hint)
    return "However many scales, one sum of probabilities at the picture's size is all that is kept."


def _scale_slips(net: LogitsOf, images: Tensor, scales: tuple[float, ...]) -> dict[str, Tensor]:
    size = (images.shape[2], images.shape[3])

    def back(maps: Tensor, align: bool = False) -> Tensor:
        return F.interpolate(maps, size=size, mode="bilinear", align_corners=align)

    small = [net(resize_images(images, scaled_size(size, scale))) for scale in scales]
    count = len(scales)
    return {
        "You take the softmax on the small map and stretch probabilities. Stretch the logits, as in training, "
        "then take the softmax.": sum(back(F.softmax(x, 1)) for x in small) / count,
        "You take the mean of the logits: softmax first, one vote a scale.": F.softmax(
            sum(back(x) for x in small) / count, 1
        ),
        "That is a sum: divide by the number of scales.": sum(F.softmax(back(x), 1) for x in small),
        "`align_corners=True` stretches from corner to corner: it moves every view by another part of a pixel. Use "
        "`align_corners=False`.": sum(F.softmax(back(x, True), 1) for x in small) / count,
    }


def _slip(got: object, slips: dict[str, Tensor]) -> str:
    for text, value in slips.items():
        if isinstance(got, Tensor) and got.shape == value.shape and (got - value).abs().max() < 1e-9:
            return text
    return ""


def folded(weight: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, eps: float) -> tuple:
    """Weight and bias of the convolution that does batch normalization's work too."""
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
    got = attempt(weight.clone(), *statistics)
    unfinished(got, call)
    require(
        isinstance(got, tuple | list) and len(got) == 2, f"{call} should give two tensors, weight and bias."
    )
    scale = gamma / torch.sqrt(variance + eps)
    without = gamma / torch.sqrt(variance)
    outer = (slice(None), None, None, None)
    slips = {
        "The scale went to the *input* channels. A filter's outputs are its first dimension.": weight
        * scale[None, :, None, None],
        "Divide by the standard deviation, the root of `variance + eps`.": weight
        * (gamma / (variance + eps))[outer],
        "`eps` is missing under the root: the layer has it too.": weight * without[outer],
        "`gamma` is missing.": weight / torch.sqrt(variance + eps)[outer],
    }
    of_weight, of_bias = folded(weight, *statistics)
    close(got[0], of_weight, "the weight", tolerance=1e-9, hint=_slip(got[0], slips))
    bias_slips = {
        "The running mean passes through the scale as well: `mean * scale`.": beta - mean,
        "The mean is taken *off* what comes out.": beta + mean * scale,
        "`beta` is added after the scale: it is not scaled.": (beta - mean) * scale,
    }
    close(got[1], of_bias, "the bias", tolerance=1e-9, hint=_slip(got[1], bias_slips))
    return "One operation instead of two, and not an approximation."


def worth_it(ways: dict[str, tuple[float, float]]) -> list[str]:
    """Names of the ways that no other beats, from cheap to dear."""
    kept, best = [], float("-inf")
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
        got = list(got)
        want = worth_it(ways)
        order = "These are the right ones; list them from cheap to dear."
        hints = {tuple(name): order for name in [sorted(want, reverse=True), want[::-1]] if name != want}
        best = max(ways, key=lambda name: ways[name][1])
        hints[(best,)] = "The best score is one of them; but a cheaper way is worth its price too."
        hints[tuple(sorted(ways, key=lambda name: ways[name][0]))] = (
            "Some of these cost more and score no more."
        )
        equal(tuple(got), tuple(want), call, hints)
    return "Everything else is dearer than something at least as good."
