"""Checks of lesson 01, atrous convolution. The right answers come from torch, or from the definition."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.answers import as_floats, hint_for, number, sequence
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, unfinished, written


@exercise("01/by-hand", title="Rate 2 by hand", difficulty=1, minutes=3)
def by_hand(attempt: Any) -> str:
    values = [
        float(number(v, "`y`")) for v in sequence(attempt, "`y`", "a list of numbers, one for each output")
    ]
    if values == [0, 6, 10, -2, 8, 8]:
        raise Wrong(
            "That is rate 1: `y[0]` read `x[0]`, `x[1]`, `x[2]`. At rate 2 it reads every second sample."
        )
    if values == [6, 10, -2, 8]:
        raise Wrong("Your filter is reversed: the first weight belongs to the first tap, `x[i]`.")
    require(
        len(values) == 4,
        f"You have {len(values)} outputs. The last tap of `y[i]` is `x[i + 4]`, and `x` ends at `x[7]`: "
        "how far can `i` go?",
    )
    for i, (got, want) in enumerate(zip(values, (10, 2, 2, 12), strict=True)):
        if got != want:
            terms = f"1·x[{i}] + 2·x[{i + 2}] − 1·x[{i + 4}]"
            raise Wrong(f"`y[{i}]` is not {got:g}. It is {terms}: look up the three samples again.")
    return "The filter has three weights and spans five samples."


@exercise("01/equation", title="Equation 1 in code", difficulty=1, minutes=4)
def equation(attempt: Callable[[Tensor, Tensor, int], Any]) -> str:
    x, w = torch.tensor([2.0, 1, 4, 3, 0, 5, 2, 1]), torch.tensor([1.0, 2, -1])
    _same_as_torch_1d(attempt, x, w, 2)
    for taps, rate in ((3, 1), (2, 5), (4, 3), (1, 7)):
        signal, weights = _random(23, seed=taps), _random(taps, seed=rate)
        _same_as_torch_1d(attempt, signal, weights, rate)
    return "Five cases agree with `torch.nn.functional.conv1d`."


def _same_as_torch_1d(attempt: Callable[[Tensor, Tensor, int], Any], x: Tensor, w: Tensor, rate: int) -> None:
    def conv(weights: Tensor, rate: int = 1, stride: int = 1) -> Tensor:
        return F.conv1d(x[None, None], weights[None, None], stride=stride, dilation=rate)[0, 0]

    call = written("atrous_conv1d", (x, w, rate))
    got = attempt(x.clone(), w.clone(), rate)
    unfinished(got, call)
    want = conv(w, rate)
    slips = [
        (conv(w), "It ignores the rate: `x[i + k]` should be `x[i + rate * k]`."),
        (
            conv(w, stride=rate),
            "The rate moved the outputs apart, not the taps: it belongs beside `k`, not beside `i`.",
        ),
        (conv(w.flip(0), rate), "The filter is reversed: `w[0]` goes with `x[i]`."),
        (
            _looking_back(x, w, rate),
            "Tap k reads `x[i + rate * k]`. A minus looks back, round the end of `x`.",
        ),
    ]
    _name_mistake(got, call, slips, want)
    span = rate * (len(w) - 1)
    hint = f"The last tap of output i is x[i + {span}], so i goes up to {len(x) - span - 1}."
    close(got, want, call, hint=hint)


def _looking_back(x: Tensor, w: Tensor, rate: int) -> Tensor:
    """Return the outputs with `x[i - rate * k]`: a negative index counts from the end."""
    outputs = len(x) - rate * (len(w) - 1)
    taps = rate * torch.arange(len(w))
    return torch.stack([(x[i - taps] * w).sum() for i in range(outputs)])


@exercise("01/effective-kernel", title="The effective kernel", difficulty=1, minutes=3)
def effective_kernel(attempt: Callable[[int, int], int]) -> str:
    for k, rate in ((3, 1), (7, 2), (3, 2), (3, 12), (1, 9), (4, 3)):
        call, distance = written("effective_kernel", (k, rate)), (k - 1) * rate
        hints = {
            k + k * (rate - 1): "There is no gap after the last tap: k taps have k − 1 gaps between them.",
            k + (k - 1) * rate: "A gap holds r − 1 zeros, not r: at rate 1 the taps touch.",
            k + rate - 1: "That counts one gap only: k taps have k − 1 gaps, with r − 1 zeros in each.",
            distance: "That is the distance from the first tap to the last; the window holds both ends.",
        }
        equal(attempt(k, rate), k + (k - 1) * (rate - 1), call, hints)
    return "At k = 7 and rate 2 it is 13, the window of path B."


@exercise("01/output-size", title="How many outputs", difficulty=2, minutes=4)
def output_size(attempt: Callable[[int, int, int, int], int]) -> str:
    cases = ((100, 7, 2, 1), (50, 7, 1, 1), (100, 2, 1, 2), (15, 3, 2, 1), (16, 3, 2, 2), (9, 3, 4, 5))
    for n, k, rate, stride in cases:
        span = rate * (k - 1) + 1
        hints = {
            n - span: "Position 0 counts too: there is one more start than steps.",
            (n - span) / stride + 1: "A part of a step does not count: round down with `//`.",
            n - span + 1: "The stride is missing: only every `stride`-th start is used.",
            (n - span + 1) // stride: "Divide the steps by the stride, and add the first output after that.",
            (n - k) // stride + 1: "The rate is missing: it is the effective kernel that must fit.",
        }
        if (n - span) % stride:  # the same as without the rate at 16, 3, 2, 2
            hints[round((n - span) / stride) + 1] = "A part of a step does not count: round down with `//`."
        call = written("output_size", (n, k, rate, stride))
        equal(attempt(n, k, rate, stride), (n - span) // stride + 1, call, hints)
    return "Both paths of the 100 × 100 example, pooling included, follow this one formula."


@exercise("01/slices", title="Atrous convolution from slices", difficulty=3, minutes=8, gives=as_floats)
def slices(attempt: Callable[[Tensor, Tensor, int], Any]) -> str:
    cases = (
        ((1, 1, 9, 9), (1, 1, 3, 3), 2),
        ((2, 3, 12, 17), (4, 3, 3, 3), 3),
        ((1, 2, 20, 15), (2, 2, 7, 7), 2),
    )
    for image, kernel, rate in cases:
        _same_as_torch_2d(attempt, "atrous_conv2d", image, kernel, rate)
    _same_as_torch_2d(attempt, "atrous_conv2d", (2, 3, 8, 10), (5, 3, 1, 1), 4)
    return "Batches, channels, oblong pictures: all agree with `torch.nn.functional.conv2d`."


@exercise("01/phases", title="Only ordinary convolutions", difficulty=3, minutes=8)
def phases(attempt: Callable[[Tensor, Tensor, int], Any]) -> str:
    cases = (
        ((1, 1, 12, 12), (1, 1, 3, 3), 2),
        ((2, 3, 13, 18), (4, 3, 3, 3), 3),
        ((1, 2, 19, 16), (2, 2, 4, 4), 4),
    )
    with _ordinary_convolutions_only():
        for image, kernel, rate in cases:
            _same_as_torch_2d(attempt, "atrous_by_phases", image, kernel, rate)
    return "An atrous convolution is rate² ordinary ones, and the picture's side need not be a multiple of the rate."


class _ordinary_convolutions_only:  # noqa: N801 - reads as a phrase
    """Make `torch.nn.functional.conv2d` refuse a rate: the exercise is to work without one."""

    def __enter__(self) -> None:
        plain = self._conv2d = F.conv2d

        def conv2d(*args: Any, **options: Any) -> Tensor:
            rate = options.get("dilation", args[5] if len(args) > 5 else 1)
            if rate not in (1, (1, 1), [1, 1]):
                raise Wrong("You pass the rate on to torch. Use ordinary convolutions only: no `dilation`.")
            return plain(*args, **options)

        F.conv2d = conv2d

    def __exit__(self, *_: Any) -> None:
        F.conv2d = self._conv2d


def _same_as_torch_2d(
    attempt: Callable[[Tensor, Tensor, int], Any],
    name: str,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    rate: int,
) -> None:
    x, w = _random(*image, seed=rate), _random(*kernel, seed=rate + 1)
    conv = torch.conv2d
    call, want = written(name, (x, w, rate)), conv(x, w, dilation=rate)
    got = attempt(x.clone(), w.clone(), rate)
    unfinished(got, call)
    slips = [
        (
            conv(x, w),
            "It ignores the rate: the slice of tap (a, b) starts at row `a * rate`, column `b * rate`.",
        ),
        (
            conv(x, w.flip(2, 3), dilation=rate),
            "The filter is reversed: tap (0, 0) belongs to the slice that starts in the top left corner.",
        ),
        (
            conv(x, w.transpose(2, 3), dilation=rate),
            "Rows and columns are swapped: tap (a, b) starts at row `a * rate`, column `b * rate`.",
        ),
        (
            conv(x, w, dilation=rate, padding=rate * (w.shape[-1] // 2)),
            "It is padded with zeros; here only positions count where the whole filter fits.",
        ),
    ]
    _name_mistake(got, call, slips, want)
    hint = f"A filter of {w.shape[-1]} at rate {rate} spans {rate * (w.shape[-1] - 1) + 1} rows and columns."
    close(got, want, call, tolerance=1e-4, hint=hint)


def _name_mistake(got: Any, call: str, slips: list[tuple[Tensor, str]], right: Tensor) -> None:
    """Raise `Wrong` if the answer is what a known mistake gives, whole or cut to the right size."""
    cut = tuple(slice(side) for side in right.shape)
    known = [(made, hint) for result, hint in slips for made in (result, result[cut])]
    hint = hint_for(got, known, 1e-4)
    if hint and not hint_for(got, [(right, "right")], 1e-4):
        raise Wrong(f"{call} is not right yet. {hint}")


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
