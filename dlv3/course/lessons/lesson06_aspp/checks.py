"""Checks of lesson 06, ASPP: counting valid weights, the rates."""

import numbers
from collections.abc import Callable, Mapping

from dlv3 import atrous
from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, equal, exercise, require, unfinished, written

Shares = Mapping[int, float]


def _counted(size: int, rate: int, first: int = 0, end: int = 0) -> dict[int, int]:
    """Count positions by their valid weights; the options bring in the usual mistakes."""
    along = [sum(first <= i + k * rate < size + end for k in (-1, 0, 1)) for i in range(size)]
    counts: dict[int, int] = {}
    for rows in along:
        for columns in along:
            counts[rows * columns] = counts.get(rows * columns, 0) + 1
    return counts


def _same(got: Shares, want: Shares, scale: float = 1) -> bool:
    keys = set(got) | set(want)
    return all(abs(got.get(key, 0) - want.get(key, 0) / scale) < 1e-6 for key in keys)


def _wrong_count(got: Shares, size: int, rate: int) -> str:
    everywhere = size**2
    if _same(got, _counted(size, rate)):
        return f"These are numbers of positions. Divide each by all {everywhere} of them."
    mistakes = [
        (dict(rate=1), "You have three taps in a row, at distance 1. They lie `rate` apart."),
        (
            dict(rate=rate, end=1),
            "You let taps fall one sample past the far end: positions run from 0 to `size - 1`.",
        ),
        (dict(rate=rate, first=1), "You leave out row 0 and column 0, which are on the map."),
        (
            dict(rate=rate, end=rate),
            "You test one end of the map only. Taps fall off at both: below 0, and from `size` on.",
        ),
    ]
    for options, hint in mistakes:
        wrong = _counted(size, **options)
        if _same(got, wrong, everywhere) or _same(got, wrong):
            return hint
    padded = {9 - weights: count for weights, count in _counted(size, rate).items()}
    if _same(got, padded, everywhere):
        return "You count the weights that meet padding. Count those that meet the map."
    total = sum(got.values())
    if abs(total - 1) > 1e-6:
        return f"All shares together should be 1; yours add up to {total:.4g}."
    return "Count the rows with 3, 2 and 1 valid taps first, then the columns; a position has rows × columns."


def _as_shares(got: Shares) -> dict[int, float]:
    """Return shares in the form that the lesson goes on with: all five numbers of weights, also with a share of 0."""
    return {weights: float(got.get(weights, 0.0)) for weights in (9, 6, 4, 2, 1)}


@exercise("06/valid-weights", title="Counting valid weights", difficulty=2, minutes=6, gives=_as_shares)
def valid_weights(attempt: Callable[[int, int], Shares]) -> str:
    for size, rate in ((9, 3), (5, 1), (9, 6), (9, 9), (33, 18), (65, 12)):
        want, call = atrous.valid_weight_shares(size, rate), written("valid_weights", (size, rate))
        got = attempt(size, rate)
        unfinished(got, call)
        require(
            isinstance(got, Mapping),
            f"{call} gives a {type(got).__name__}, but it should be a dictionary, such as {{9: 0.36, …}}.",
        )
        require(
            all(isinstance(share, numbers.Real) or getattr(share, "ndim", 1) == 0 for share in got.values()),
            f"{call} gives {dict(got)!r}. Shares are numbers from 0 to 1, not texts.",
        )
        if not _same(got, want):
            shown = {weights: round(float(share), 4) for weights, share in sorted(got.items(), reverse=True)}
            raise Wrong(f"{call} gives {shown}. {_wrong_count(got, size, rate)}")
    return "Three valid weights never occur: 3 × 1 would need a side both longer and shorter than twice the rate."


@exercise(
    "06/rates", title="ASPP's rates at an output stride", difficulty=1, minutes=3, gives=answers.as_rates
)
def rates_at(attempt: Callable[[tuple[int, ...], int], tuple[int, ...]]) -> str:
    stated = (6, 12, 18)
    cases = (
        (stated, 16, stated),
        (stated, 8, (12, 24, 36)),
        (stated, 32, (3, 6, 9)),
        ((2, 4, 6), 4, (8, 16, 24)),
    )
    for rates, output_stride, want in cases:
        call = written("rates_at", (rates, output_stride))
        got = answers.sequence(attempt(rates, output_stride), call, "one rate for each that was given")
        upside_down, doubled = (tuple(factor * rate for rate in rates) for factor in (output_stride / 16, 2))
        hints = {
            upside_down: "It is the other way round: on a map with more samples, the same distance is more samples.",
            doubled: "Doubling is right at output stride 8. Here it is another factor.",
            rates: "These are the rates for output stride 16.",
        }
        equal(got, want, call, hints)
        answers.whole_rates(got, call)
    return "Rate times output stride stays the same: 96, 192 and 288 pixels for the paper's three."
