"""Checks of lesson 09, findings and noise: mean and spread, pairs of equal seeds, the interval."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from dlv3.ablations.results import T_975, difference
from dlv3.course.kit.answers import Slips, as_rates, hint_for
from dlv3.course.kit.exercises import Wrong, exercise, require, unfinished, written
from dlv3.course.lessons.lesson09_cascade_ablations.checks_rule import fewest

__all__ = ["bounds", "centre_and_spread", "fewest", "paired"]

Pair = tuple[float, float]
_SCORES = ((48.5, 49.0, 45.5, 33.5, 38.5), (54.0, 50.0, 58.0), (60.0, 62.0), (47.3, 50.1, 52.6))


def _numbers(got: Iterable[float], call: str, count: int, what: str) -> tuple[float, ...]:
    """Require `count` numbers, and return them as floats."""
    unfinished(got, call)
    try:
        found = tuple(float(value) for value in got)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{call} gives {got!r}, but it should be {count} numbers: {what}.") from None
    require(len(found) == count, f"{call} gives {len(found)} numbers, but it should be {count}: {what}.")
    return found


def _same(got: Sequence[float], want: Sequence[float]) -> bool:
    return all(a == b or abs(a - b) < 1e-6 for a, b in zip(got, want, strict=True))


_ENDLESS = "one difference alone has no spread. Its interval is infinite: give (-math.inf, math.inf)."


def _told(got: Sequence[float], want: Sequence[float], call: str, slips: Slips) -> None:
    """Require `got` to be `want`; name the known mistake that gives the same."""
    if _same(got, want):
        return
    hint = hint_for(got, slips)
    shown = ["(" + ", ".join(f"{value:.4g}" for value in values) + ")" for values in (got, want)]
    raise Wrong(f"{call} gives {shown[0]}, but it should be {shown[1]}. {hint}".rstrip())


def centre_and_spread(scores: Sequence[float]) -> Pair:
    """Return the mean and the standard deviation."""
    return statistics.fmean(scores), statistics.stdev(scores)


@exercise("09/mean-and-spread", title="Mean and spread", difficulty=1, minutes=3, gives=as_rates)
def mean_and_spread(attempt: Callable[[list[float]], Pair]) -> str:
    for scores in _SCORES:
        call = written("mean_and_spread", (list(scores),))
        got = _numbers(attempt(list(scores)), call, 2, "the mean and the standard deviation")
        mean, spread = centre_and_spread(scores)
        n = len(scores)
        slips = [
            ((mean, statistics.pstdev(scores)), "You divide the squares by n. The deviations are taken from the "
             "scores' own mean, which is too close to them: divide by n − 1."),
            ((mean, spread**2), "That is the variance: take its square root."),
            ((mean, statistics.pvariance(scores)), "Divide by n − 1, not n, and take the square root."),
            ((mean, spread / math.sqrt(n)), "That is the spread of the *mean*. Here it is the spread of the scores: "
             "do not divide by √n."),
            ((mean, sum(abs(s - mean) for s in scores) / n), "That is the mean deviation, another measure: square the "
             "deviations, and take the root at the end."),
            ((mean, max(scores) - min(scores)), "That is the range, which grows with the number of seeds."),
            ((spread, mean), "The mean comes first."),
        ]  # fmt: skip
        _told(got, (mean, spread), call, slips)
    return "In the scores' own unit: a typical distance of one run from the mean."


def paired(better: dict[int, float], worse: dict[int, float]) -> list[float]:
    """Return the differences of equal seeds, in the order of the seeds."""
    return [better[seed] - worse[seed] for seed in sorted(better.keys() & worse.keys())]


def _as_list(got: Iterable[float]) -> list[float]:
    return [float(value) for value in got]


@exercise("09/paired", title="Pairs of equal seeds", difficulty=1, minutes=4, gives=_as_list)
def paired_differences(attempt: Callable[[dict[int, float], dict[int, float]], list[float]]) -> str:
    cases = (
        ({0: 51.0, 1: 52.5}, {0: 50.0, 1: 50.0}),
        ({2: 60.0, 0: 58.0, 1: 61.0}, {0: 57.5, 1: 58.0, 2: 60.5}),
        ({0: 40.0, 1: 42.0, 3: 47.0, 4: 41.0}, {1: 39.0, 2: 38.0, 3: 44.5, 0: 41.0}),
    )
    for better, worse in cases:
        call = written("paired_differences", (better, worse))
        want = paired(better, worse)
        try:
            got = attempt(dict(better), dict(worse))
        except KeyError as error:
            raise Wrong(
                f"{call} stops at seed {error}, which only one of the rows has. A pair takes two: only the seeds that "
                "are in both count."
            ) from None
        require(
            not isinstance(got, dict),
            f"{call} gives a dictionary, but it should be a list: the differences alone, in the order of the seeds.",
        )
        found = _numbers(got, call, len(want), "one difference for each seed that both rows have")
        slips = [
            ([-value for value in want], "The sign is wrong: better minus worse."),
            ([abs(value) for value in want], "Keep the sign: a seed may say the opposite."),
            ([a - b for a, b in zip(better.values(), worse.values(), strict=False)], "These pairs do not have equal "
             "seeds. A dictionary keeps the order in which its runs came in; look them up by seed."),
            (sorted(want), "Give them in the order of the seeds, so that you can tell which run is which."),
        ]  # fmt: skip
        _told(found, want, call, slips)
    return (
        "One number a seed. From here on the two rows are one list, and the question is: is its mean above 0?"
    )


def bounds(differences: Sequence[float]) -> Pair:
    """Return the two ends of the 95% interval."""
    found = difference(differences)
    return found.low, found.high


@exercise("09/interval", title="The 95% interval", difficulty=3, minutes=8, gives=as_rates)
def interval(attempt: Callable[[list[float]], Pair]) -> str:
    cases = (
        (1.0, 2.0, 3.5),
        (4.0, 6.0),
        (9.0, -2.0, 4.0, 3.0, 1.0),
        tuple(0.5 * i for i in range(12)),
        (3.0,),
    )
    for values in cases:
        call = written("interval", (list(values),))
        n, want = len(values), bounds(values)
        try:
            got = attempt(list(values))
        except (statistics.StatisticsError, ZeroDivisionError, IndexError):
            require(n > 1, f"{call}: {_ENDLESS}")
            raise
        found = _numbers(got, call, 2, "the interval's two ends")
        require(n > 1 or _same(found, want), f"{call} gives {got!r}: {_ENDLESS}")
        _told(found, want, call, _interval_slips(values) if n > 1 else [])
    return "The mean of the differences, and how far off it may be."


def _interval_slips(values: Sequence[float]) -> list[tuple[Pair, str]]:
    n, mean, spread = len(values), statistics.fmean(values), statistics.stdev(values)
    t = T_975[n - 2]

    def around(half: float) -> Pair:
        return mean - half, mean + half

    root = math.sqrt(n)
    return [
        (around(1.96 * spread / root), "1.96 is for a known spread. Yours is estimated from the same few "
         "numbers: take Student's t, `T_975[n - 2]`."),
        (around(T_975[n - 1] * spread / root), "One entry too far: `T_975[0]` is for 1 degree of freedom, which two "
         "differences have: `T_975[n - 2]`."),
        (around(T_975[n] * spread / root), "n differences have n − 1 degrees of freedom, and the table begins at 1: "
         "`T_975[n - 2]`."),
        (around(t * spread), "That is the range of single differences. The mean of n is known √n times better: "
         "divide by the root."),
        (around(t * spread / n), "The error of a mean falls with √n, not with n."),
        (around(t * statistics.pstdev(values) / root), "The spread needs n − 1 below the squares: `statistics.stdev`."),
        (around(t * spread**2 / root), "That uses the variance: take the standard deviation."),
        (around(spread / root), "The standard error alone covers far less than 95%: multiply it by Student's t."),
        ((-t * spread / root, t * spread / root), "The interval lies around the mean, not around 0."),
        ((mean, t * spread / root), "Those are the middle and the half-width: give the two ends."),
    ]  # fmt: skip
