"""Checks of lesson 12: folding, the ways that are worth their price."""

from collections.abc import Callable

import torch
from torch import Tensor

from dlv3.course.kit.answers import hint_for, several, tensor
from dlv3.course.kit.exercises import close, equal, exercise, require, unfinished
from dlv3.course.lessons.lesson12_inference.checks_views import mirrored, multi_scale

__all__ = ["folded", "mirrored", "multi_scale", "worth_it"]


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
            (beta, "The running mean is missing: subtract it, scaled as the weights are."),
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
        require(not isinstance(got, set | frozenset), f"{call} gives a set, which has no order: give a list.")
        want = worth_it(ways)
        order = "These are the right ones; list them from cheap to expensive."
        hints = {tuple(name): order for name in [sorted(want, reverse=True), want[::-1]] if name != want}
        best = max(ways, key=lambda name: ways[name][1])
        hints[(best,)] = "The best score is one of them, but a cheaper way can be worth its price too."
        by_price = sorted(ways, key=lambda name: ways[name][0])
        hints[tuple(by_price)] = "Some of these cost more than another and do not score more."
        hints[("cheap", "dear", "waste")] = (
            "`waste` costs more than `dear` and scores no higher, only as high."
        )
        equal(tuple(got), tuple(want), call, hints)
    return "Every other way costs more than one that is at least as good."
