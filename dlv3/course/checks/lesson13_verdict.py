"""Check of lesson 13: the verdict on a claim, by rule."""

import math
import statistics
from collections.abc import Callable, Sequence

from dlv3.ablations.results import T_975, difference
from dlv3.course.exercises import Wrong, equal, exercise, unfinished, written


def verdict_of(differences: Sequence[float]) -> str:
    """The rule, as `dlv3 ablate` applies it."""
    return difference(list(differences)).verdict


_DIFFERENCES = (
    [1.0, 1.2, 0.9],
    [1.0, 1.05],
    [5.0],
    [1.3, 2.3, 3.3],
    [0.9, 1.9, 2.9],
    [0.45, 1.45, 2.45],
    [2.5, 3.5, 4.5],
    [1.0, -0.2, 0.6],
    [-1.0, -1.2, -0.9],
    [-1.0, -1.05],
    [-0.1, -3.0, -1.0],
    [2.1, 0.3, 1.2, -0.4, 1.8],
    [1.9, 2.6, -0.1, 2.4, 2.2],
)
_HALVES: dict[str, Callable[[list[float], int], float]] = {
    "`T_975` starts with one degree of freedom, and n pairs have n − 1: take `T_975[n - 2]`.": lambda d, n: (
        T_975[n - 1] * statistics.stdev(d) / math.sqrt(n)
    ),
    "Divide the spread by n − 1: `statistics.stdev`, not `pstdev`.": lambda d, n: (
        T_975[n - 2] * statistics.pstdev(d) / math.sqrt(n)
    ),
    "1.96 is for many seeds. For a few take Student's t, `T_975[n - 2]`.": lambda d, n: (
        1.96 * statistics.stdev(d) / math.sqrt(n)
    ),
    "The mean of n differences is less uncertain than one of them: divide by the square root of n.": lambda d, n: (
        T_975[n - 2] * statistics.stdev(d)
    ),
}  # fmt: skip


@exercise("13/verdict", title="The verdict, by rule", difficulty=3, minutes=8)
def verdict(attempt: Callable[[list[float]], str]) -> str:
    given = []
    for differences in _DIFFERENCES:
        call = written("verdict", (differences,))
        try:
            given.append(attempt(list(differences)))
        except statistics.StatisticsError:
            raise Wrong(
                f"{call} stops: one difference has no spread. Ask how many pairs there are first."
            ) from None
        unfinished(given[-1], call)
    # One answer alone does not tell one wrong formula from another; all of them do.
    slip = next((text for text, half in _HALVES.items() if given == [_by(half, d) for d in _DIFFERENCES]), "")
    for differences, got in zip(_DIFFERENCES, given, strict=True):
        want = verdict_of(differences)
        hint = slip or _verdict_slip(differences, got, want)
        equal(got, want, written("verdict", (differences,)), {str(got): hint})
    return "Four words, and nobody chose among them after seeing the numbers."


def _by(half_of: Callable[[list[float], int], float], differences: list[float]) -> str:
    """The rule with another half width of the interval."""
    n, mean = len(differences), statistics.fmean(differences)
    if n >= 3:
        half = half_of(differences, n)
        if mean - half > 0 or mean + half < 0:
            return "reproduced" if mean > 0 else "opposite"
    return "same direction" if min(differences) > 0 else "within noise"


def _verdict_slip(differences: list[float], got: object, want: str) -> str:
    if len(differences) < 3 and got in ("reproduced", "opposite"):
        return "With fewer than three pairs it is never more than a direction."
    if got == "same direction" and max(differences) < 0:
        against = "All seeds agree, but *against* the claim: a direction counts only if all are above 0."
        return against if want == "within noise" else f"{against} And the whole interval lies below 0."
    if got == "same direction" and min(differences) <= 0:
        return "Not every seed's difference is above 0; that their mean is does not count."
    return {
        "reproduced": "The whole interval lies above 0, and there are three pairs or more.",
        "opposite": "The whole interval lies below 0.",
        "same direction": "It is not reproduced, but every seed's difference is above 0.",
        "within noise": "The interval contains 0, and not every seed agrees with the claim.",
    }[want]
