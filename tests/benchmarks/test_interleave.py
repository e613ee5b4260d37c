"""Contenders take turns, and a ratio compares what ran side by side."""

import pytest

from benchmarks.interleave import MAX_CALLS, Spread, interleave


class Bench:
    """Contenders that take so many seconds on a clock of their own, and a list of who ran."""

    def __init__(self) -> None:
        self.now, self.slowness = 0.0, 1.0
        self.order: list[str] = []

    def contender(self, name: str, seconds: float):
        def run() -> None:
            self.order.append(name)
            self.now += seconds * self.slowness

        return run

    def clock(self) -> float:
        return self.now


def test_a_ratio_is_free_of_a_drift_that_both_meet():
    bench = Bench()
    slow, fast = bench.contender("slow", 3.0), bench.contender("fast", 2.0)
    speeds = iter([1, 1, 8, 8, 2, 2, 5, 5])  # from round to round, after the first calls

    def at_its_speed(run):
        def call() -> None:
            bench.slowness = next(speeds) if len(bench.order) >= 4 else 1.0
            run()

        return call

    contenders = {"slow": at_its_speed(slow), "fast": at_its_speed(fast)}
    timings = interleave(contenders, rounds=4, clock=bench.clock)
    assert timings.seconds["slow"] == [3.0, 24.0, 6.0, 15.0]
    assert timings.ratio("slow", "fast") == Spread(1.5, 1.5, 1.5, 4)


def test_they_take_turns_and_every_second_round_is_reversed():
    bench = Bench()
    contenders = {name: bench.contender(name, 1.0) for name in "abc"}
    interleave(contenders, rounds=3, clock=bench.clock)
    assert "".join(bench.order) == "aabbcc" + "abc" + "cba" + "abc"


def test_contenders_that_are_warm_already_are_called_once_beforehand():
    bench = Bench()
    contenders = {name: bench.contender(name, 1.0) for name in "ab"}
    interleave(contenders, rounds=1, warm_ups=1, clock=bench.clock)
    assert "".join(bench.order) == "ab" + "ab"
    with pytest.raises(ValueError, match="warm_ups=0: expected at least 1"):
        interleave(contenders, rounds=1, warm_ups=0)


def test_a_quick_contender_is_called_until_the_timing_is_long_enough():
    bench = Bench()
    contenders = {"quick": bench.contender("quick", 0.25), "long": bench.contender("long", 40.0)}
    timings = interleave(contenders, rounds=2, shortest=1.0, clock=bench.clock)
    assert bench.order.count("quick") == 2 + 2 * 4
    assert bench.order.count("long") == 2 + 2
    assert timings.seconds == {"quick": [0.25, 0.25], "long": [40.0, 40.0]}


def test_a_clock_that_sees_no_time_pass_ends():
    bench = Bench()
    timings = interleave({"nothing": bench.contender("nothing", 0.0)}, rounds=1, clock=bench.clock)
    assert len(bench.order) == 2 + MAX_CALLS
    assert timings.time("nothing").median == 0


@pytest.mark.parametrize(
    ("rounds", "budget", "least", "run"), [(9, 0.0, 3, 3), (2, 0.0, 3, 2), (9, 10.0, 1, 5), (4, 1e9, 1, 4)]
)
def test_rounds_end_with_the_budget_but_not_before_the_least(rounds, budget, least, run):
    bench = Bench()
    contenders = {"one": bench.contender("one", 2.0)}
    timings = interleave(contenders, rounds=rounds, budget=budget, least=least, clock=bench.clock)
    assert timings.time("one").count == run


def test_spread_is_the_median_and_the_quartiles():
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0, 5)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 1)
    assert Spread.of([1.0, 2.0]).times(10) == Spread(15.0, 12.5, 17.5, 2)
    with pytest.raises(ValueError, match="expected one or more"):
        Spread.of([])


@pytest.mark.parametrize(("contenders", "rounds"), [({}, 3), ({"one": int}, 0)])
def test_nothing_to_time_is_refused(contenders, rounds):
    with pytest.raises(ValueError, match="expected one or more of both"):
        interleave(contenders, rounds=rounds)
