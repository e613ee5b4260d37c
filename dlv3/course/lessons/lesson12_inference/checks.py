"""Checks of lesson 12: ASPP's rates, folding, the ways that are worth their price."""

from collections.abc import Callable

import torch
from torch import Tensor

from dlv3.course.kit.answers import as_rates, hint_for, sequence, several, tensor, whole_rates
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, unfinished, written
from dlv3.course.lessons.lesson12_inference.checks_views import mirrored, multi_scale

__all__ = ["folded", "mirrored", "multi_scale", "rates_at", "worth_it"]


def rates_at(rates: tuple[int, ...], output_stride: int) -> tuple[int, ...]:
    """Return ASPP's rates, which are stated at output stride 16, at another one."""
    scaled = [rate * 16 / output_stride for rate in rates]
    if any(rate != int(rate) or rate < 1 for rate in scaled):
        raise ValueError(f"rates {rates} have no equal at output stride {output_stride}")
    return tuple(int(rate) for rate in scaled)


@exercise(
    "12/rates-at", title="ASPP's rates at another output stride", difficulty=1, minutes=5, gives=as_rates
)
def check_rates_at(attempt: Callable[[tuple[int, ...], int], tuple[int, ...]]) -> str:
    for rates, output_stride in (
        ((6, 12, 18), 16),
        ((6, 12, 18), 8),
        ((2, 4, 6), 4),
        ((6, 12, 18), 32),
        ((1, 3), 16),
        ((1, 5), 8),
    ):
        call = written("rates_at", (rates, output_stride))
        got = sequence(attempt(rates, output_stride), call, "one rate for each that was given")
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


def folded(
    weight: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Return weight and bias of the convolution that does the work of batch normalization too."""
    scale = gamma / torch.sqrt(variance + eps)
    return weight * scale[:, None, None, None], beta - mean * scale


@exercise("12/fold", title="Fold batch normalization in", difficulty=2, minutes=8, gives=tuple)
def check_fold(attempt: Callable[..., tuple[Tensor, Tensor]]) -> str:
    generator = torch.Generator().manual_seed(5)
    weight = torch.randn(4, 4, 3, 3, generator=generator, dtype=torch.float64)
    gamma, beta, mean = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    variance = torch.rand(4, generator=generator, dtype=torch.float64) + 0.05
    for eps in (0.1, 0.01):
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
        for name, each in (("weight", got[0]), ("bias", got[1])):
            tensor(each, f"The {name} of {call}")
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


@exercise("12/worth-it", title="What is worth its price", difficulty=2, minutes=8, gives=list)
def check_worth_it(attempt: Callable[[dict[str, tuple[float, float]]], list[str]]) -> str:
    cases = (
        {"a": (1.0, 60.0), "b": (3.0, 68.0), "c": (4.0, 66.0), "d": (9.0, 70.0)},
        {"dear": (9.0, 71.0), "cheap": (1.0, 60.0), "same": (1.0, 55.0), "waste": (10.0, 71.0)},
        {"c": (1.0, 50.0), "b": (2.0, 60.0), "a": (3.0, 70.0)},
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
