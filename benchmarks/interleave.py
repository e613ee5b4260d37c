"""Measure times that can be compared on a busy machine: contenders take turns, A B A B …, with a ratio for each round.

A machine's speed drifts with its load, its clock and its temperature. Contenders that take turns meet the same drift,
so the ratio of two neighbours says more than that of two runs a minute apart. The median over rounds ignores the rounds
that something else disturbed, and the quartiles show how far they went. The file is plain Python, without torch.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

MAX_CALLS = 10_000
"""The most calls that are timed as one."""


@dataclass(frozen=True)
class Spread:
    """The median of some values and their quartiles."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of one value or more.

        Raises:
            ValueError: there are no values.
        """
        if not values:
            raise ValueError("values: expected one or more")
        if len(values) == 1:
            return cls(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high, len(values))

    def times(self, factor: float) -> "Spread":
        """Return the spread of the values multiplied by a factor above 0."""
        return Spread(self.median * factor, self.low * factor, self.high * factor, self.count)


@dataclass(frozen=True)
class Timings:
    """The seconds that a call of each contender takes, with one entry for each round."""

    seconds: dict[str, list[float]]

    def time(self, name: str) -> Spread:
        """Return the seconds that a call takes."""
        return Spread.of(self.seconds[name])

    def ratio(self, slow: str, fast: str) -> Spread:
        """Return how many times as fast the second is: the first's time over the second's, round by round."""
        pairs = zip(self.seconds[slow], self.seconds[fast], strict=True)
        return Spread.of([slow_time / fast_time for slow_time, fast_time in pairs])


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    budget: float = float("inf"),
    least: int = 3,
    shortest: float = 0.05,
    warm_ups: int = 2,
    clock: Callable[[], float] = time.perf_counter,
) -> Timings:
    """Time contenders in turns, every second round in reverse, so that none always follows the same one.

    Args:
        contenders: what the first calls prepare does not count.
        rounds: to run, at least 1.
        budget: seconds after which no further round begins.
        least: rounds that run whatever the budget, as far as `rounds` allows.
        shortest: seconds that one timing lasts at least; a quick contender is called several times for it.
        warm_ups: calls of each beforehand, at least 1; the last one tells how many calls are timed as one.
        clock: seconds since any moment.

    Raises:
        ValueError: there are no contenders, or `rounds` or `warm_ups` is below 1.
    """
    if not contenders or rounds < 1:
        raise ValueError(f"{len(contenders)} contenders, rounds={rounds}: expected one or more of both")
    if warm_ups < 1:
        raise ValueError(f"warm_ups={warm_ups}: expected at least 1")
    calls: dict[str, int] = {}
    for name, call in contenders.items():
        for _ in range(warm_ups - 1):
            call()
        once = _timed(call, 1, clock)
        calls[name] = MAX_CALLS if once <= 0 else min(MAX_CALLS, max(1, round(shortest / once)))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    begun = clock()
    for number in range(rounds):
        if number >= least and clock() - begun >= budget:
            break
        order = list(contenders)
        for name in order if number % 2 == 0 else reversed(order):
            seconds[name].append(_timed(contenders[name], calls[name], clock))
    return Timings(seconds)


def _timed(call: Callable[[], object], calls: int, clock: Callable[[], float]) -> float:
    begun = clock()
    for _ in range(calls):
        call()
    return (clock() - begun) / calls
