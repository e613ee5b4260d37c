"""Checks of lesson 10, ASPP ablations: the peak of a curve, the largest useful rate, what an interval says."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence

from dlv3 import atrous
from dlv3.ablations.results import Difference, difference
from dlv3.course.kit.answers import number
from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, unfinished, written

Curve = Mapping[int, Sequence[float]]
_CURVES: tuple[Curve, ...] = (
    {1: [46.4, 45.7, 44.1], 2: [40.7, 41.6, 43.9], 4: [30.0, 27.0, 28.4]},
    {1: [50.1, 50.8, 49.5], 2: [58.0, 58.9, 58.5], 3: [60.8, 61.0, 61.4]},
    # Seeds move both rows up and down together: the intervals of the rows overlap, that of the differences is narrow.
    {2: [40.0, 45.0, 50.0], 4: [41.0, 46.2, 51.1], 8: [20.0, 20.0, 20.0]},
    {2: [50.0, 60.0, 70.0, 60.0], 3: [57.0, 57.0, 57.0, 57.0], 6: [30.0, 31.0, 29.0, 30.0]},
    # One lucky run lifts the mean of rate 2 over the others, and not its median.
    {2: [50.0, 50.0, 80.0], 3: [55.0, 56.0, 57.0], 4: [53.0, 54.0, 55.1]},
)


def candidates(curve: Curve) -> set[int]:
    """Return the rates that could be the best: those not certainly behind the highest mean."""
    best = max(curve, key=lambda rate: statistics.fmean(curve[rate]))
    return {rate for rate in curve if _behind(curve, best, rate).low <= 0}


def _behind(curve: Curve, best: int, rate: int) -> Difference:
    return difference([a - b for a, b in zip(curve[best], curve[rate], strict=True)])


def _overlapping(curve: Curve) -> set[int]:
    """Return the rates whose own interval overlaps the best one's: the unpaired way."""
    spans = {rate: difference(scores) for rate, scores in curve.items()}
    best = max(spans.values(), key=lambda span: span.mean)
    return {rate for rate, span in spans.items() if span.high >= best.low}


def _as_set(got: Iterable[int]) -> set[int]:
    return {plain(rate) for rate in got}


@exercise("10/could-be-best", title="The peak and its uncertainty", difficulty=3, minutes=8, gives=_as_set)
def could_be_best(attempt: Callable[[dict[int, list[float]]], Iterable[int]]) -> str:
    for curve in _CURVES:
        call = written("could_be_best", (dict(curve),))
        got = attempt({rate: list(scores) for rate, scores in curve.items()})
        unfinished(got, call)
        require(
            isinstance(got, (set, frozenset, list, tuple)),
            f"{call} gives {got!r}, but it should be a set of rates, such as {{2, 3}}.",
        )
        want, found = candidates(curve), _as_set(got)
        require(
            found <= set(curve),
            f"{call} gives {got!r}: give the rates themselves, {', '.join(map(str, curve))}, not scores or places.",
        )
        if found != want:
            raise Wrong(
                f"{call} gives {sorted(found)}, but it should be {sorted(want)}. {_slip(curve, found)}".rstrip()
            )
    return "A set, not a number: that is what a few seeds can tell about a peak."


def _slip(curve: Curve, found: set[int]) -> str:
    best = max(curve, key=lambda rate: statistics.fmean(curve[rate]))
    if found == {best}:
        return "That is the highest mean alone. A rate is out only if the interval of its difference lies above 0."
    if best not in found and found | {best} == candidates(curve):
        return "The highest one itself is missing: it could certainly be the best."
    if found == set(curve) - candidates(curve):
        return "Those are the rates that are out. Give the others."
    if found == _overlapping(curve):
        return (
            "You compare the rows' own intervals. Seeds are paired: take the differences seed by seed first."
        )
    if found == {rate for rate in curve if _behind(curve, best, rate).high > 0}:
        return (
            "You ask whether it *could* be behind. It is out if it certainly is: if the lower end is above 0."
        )
    return "For each rate: the differences best − rate, seed by seed; `difference(...)`; out if `.low > 0`."


def largest_valid_rate(size: int, share: float) -> int:
    """Return the largest rate at which this share of the positions has nine valid weights; 0 if there is none."""
    fitting = (rate for rate in range(1, size) if atrous.valid_weight_shares(size, rate)[9] >= share)
    return max(fitting, default=0)


@exercise("10/largest-rate", title="The largest rate that fits the map", difficulty=2, minutes=6, gives=int)
def largest_rate(attempt: Callable[[int, float], int]) -> str:
    cases = ((33, 0.5), (65, 0.5), (9, 0.5), (9, 0.1), (5, 0.36), (5, 0.5), (33, 0.05), (10, 0.16))
    for size, share in cases:
        call = written("largest_rate", (size, share))
        want = largest_valid_rate(size, share)
        root = math.sqrt(share)
        rows_alone, one_side = int((1 - share) * size / 2), int((1 - root) * size)
        hints: dict[float, str] = {
            rows_alone: "Do you count rows only? A position has nine valid weights only if its row *and* its column "
            "fit: the share is a square.",
            one_side: "A filter reaches `rate` samples to *both* sides: `size - 2 * rate` rows fit.",
            want + 1: "At that rate the share is already below the bound.",
            want - 1: "The next rate still has that share; exactly the share is enough.",
        }
        hints.pop(want, None)
        got = number(attempt(size, share), call)
        if got not in hints and got == largest_valid_rate(size, share / 100) != want:
            hints[got] = "`share` goes from 0 to 1, not to 100: do not divide it."
        if isinstance(got, float) and got != int(got):
            raise Wrong(f"{call} gives {got:.3g}. A rate is a whole number: round down.")
        if got > size / 2:
            past = "Beyond half the map `size - 2 * rate` is below 0, and its square grows again: no rows are left."
            hints.setdefault(got, past)
        equal(got, want, call, hints)
    return "This is about padding only: it does not tell what there is to see at that distance."


def meaning(low: float, high: float, matters: float) -> str:
    """Return what an interval says: "gain", "reversal", "null" or "open"."""
    if low > 0:
        return "gain"
    if high < 0:
        return "reversal"
    return "null" if -matters < low and high < matters else "open"


@exercise("10/reading", title="Null, reversal, or not known", difficulty=1, minutes=4)
def reading(attempt: Callable[[float, float, float], str]) -> str:
    words = ("gain", "reversal", "null", "open")
    cases = (
        (10.6, 12.4, 1.0), (-17.3, -15.8, 1.0), (-0.8, 0.9, 1.0), (-4.8, 0.7, 1.0), (-0.2, 3.7, 1.0),
        (0.2, 0.6, 1.0), (-0.4, -0.1, 1.0), (-3.0, 4.0, 1.0), (-0.8, 0.9, 0.5), (-2.0, 0.1, 3.0),
        (-0.4, 0.9, 0.5), (-0.9, 0.4, 0.5),
    )  # fmt: skip
    for low, high, matters in cases:
        call, want = written("reading", (low, high, matters)), meaning(low, high, matters)
        got = attempt(low, high, matters)
        unfinished(got, call)
        require(got in words, f"{call} gives {got!r}, but it should be one of {', '.join(map(repr, words))}.")
        if got != want:
            raise Wrong(f"{call} gives {got!r}, but it should be {want!r}. {_why(low, high, matters)}")
    return "To find no effect and to find that there is no effect are two different things."


def _why(low: float, high: float, matters: float) -> str:
    if low > 0:
        return "The whole interval lies above 0. The gain may be small, but it is a gain."
    if high < 0:
        return "The whole interval lies below 0: the opposite of the claim."
    if -matters < low and high < matters:
        return f"0 is inside, and both ends are within ±{matters:g}: an effect that matters is ruled out."
    return f"0 is inside, but so is an effect of ±{matters:g} or more: these runs cannot tell."
