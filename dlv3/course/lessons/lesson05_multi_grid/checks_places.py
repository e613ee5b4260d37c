"""Checks of lesson 05 on what a block reads: its places, two kinds of holes, no holes from below."""

import itertools
from collections.abc import Callable, Iterable
from typing import TypedDict

from dlv3 import receptive_field
from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, equal, exercise, require, unfinished, written
from dlv3.receptive_field import Layer

Place = tuple[int, int]  # rows, columns from the output
Rates = tuple[int, ...]


def along(rates: Iterable[int]) -> list[int]:
    """Return the distances along one axis that a stack reads, by the library's count of paths."""
    layers = [Layer(3, rate=rate) for rate in rates]
    paths = receptive_field.count_paths(layers)
    distances: list[int] = (paths.nonzero().flatten() - len(paths) // 2).tolist()
    return distances


def _moved(rates: Rates, steps: Callable[[int], list[Place]]) -> set[Place]:
    """Return the places reached if a rate allows only these steps: all of them, or those of a usual mistake."""
    reached = {(0, 0)}
    for rate in rates:
        reached = {(row + down, column + right) for row, column in reached for down, right in steps(rate)}
    return reached


def _wrong_places(got: set[Place], rates: Rates) -> str:
    def nine(rate: int) -> list[Place]:
        steps = (-rate, 0, rate)
        return [(down, right) for down in steps for right in steps]

    last = set(nine(rates[-1]))
    apart = {place for rate in rates for place in nine(rate)}
    mistakes = [
        (
            _moved(rates, lambda r: [(-r, -r), (0, 0), (r, r)]),
            "You take the same step along both axes: rows and columns are independent, so a filter has nine steps.",
        ),
        (
            _moved(rates, lambda r: [(-r, 0), (0, -r), (0, 0), (0, r), (r, 0)]),
            "The four corners of each filter are missing: it has nine taps, not five.",
        ),
        (
            _moved(rates, lambda r: [step for step in nine(r) if step != (0, 0)]),
            "The middle tap is missing: a filter also reads its own place.",
        ),
        (
            _moved(rates, lambda r: [(0, 0), (0, r), (r, 0), (r, r)]),
            "Steps go both ways, -rate too.",
        ),
        (apart, "You collect each filter's own steps. The layers follow each other: their steps add up."),
        (last, "Only the last rate is left: start each round from what was reached before."),
    ]
    return next((message for places, message in mistakes if got == places), "")


def _as_places(got: Iterable[Iterable[int]]) -> set[Place]:
    """Return places in the form that the lesson goes on with: a set of pairs."""
    return {(row, column) for row, column in answers.as_pairs(got)}


@exercise("05/offsets", title="Every place that a stack reads", difficulty=2, minutes=5, gives=_as_places)
def offsets(attempt: Callable[[Rates], set[Place]]) -> str:
    for rates in ((2,), (1, 2), (2, 2, 2), (1, 2, 4)):
        call = written("offsets", (rates,))
        got = attempt(rates)
        unfinished(got, call)
        places = list(got) if isinstance(got, Iterable) else [got]
        require(
            all(isinstance(place, tuple | list) and len(place) == 2 for place in places),
            f"{call} holds something that is not a pair: a place is (rows, columns). Do you follow one axis only?",
        )
        got = _as_places(places)
        want = set(itertools.product(along(rates), repeat=2))
        if got != want:
            counts = f"{call} gives {len(got)} places, but there are {len(want)}."
            if len(got) == len(want):
                counts = f"{call} gives as many places as there are, {len(want)}, but not the right ones."
            raise Wrong(f"{counts} {_wrong_places(got, rates)}".rstrip())
    return "27 weights for 225 places with (1, 2, 4), and for 49 with (2, 2, 2)."


@exercise("05/two-kinds", title="Two kinds of holes", difficulty=3, minutes=6, gives=answers.as_rates)
def two_kinds(attempt: Callable[[Rates, int], tuple[int, int]]) -> str:
    cases = [((1, 2, 4), 1), ((1, 2, 4), 2), ((2, 2, 2), 1), ((2, 2, 2), 2), ((1, 4, 4), 4), ((2, 3, 4), 2)]
    for multi_grid, base in cases:
        call = written("two_kinds", (multi_grid, base))
        wanted = "two numbers: holes in the grid, and samples between its places"
        got = answers.several(attempt(multi_grid, base), call, 2, wanted)
        grid = 1 + 2 * sum(multi_grid)
        field = 1 + 2 * base * sum(multi_grid)
        holes, between, one_more = grid - len(along(multi_grid)), field - grid, (base - 1) * grid
        hints = {
            (between, holes): "Those are the right numbers the other way round.",
            (holes + between, between): "The first counts every unread sample. Take only those on the grid.",
            (holes, between + holes): "The second counts every unread sample. Leave out those on the grid.",
            (holes, one_more): f"A grid of {grid} samples has {grid - 1} gaps between them, not {grid}.",
            (grid - 9, between): "Three layers of three taps do not always lead to nine places: several "
            "paths may lead to one. Collect the places in a set.",
        }
        equal(tuple(got), (holes, between), call, hints)
    return "The first number comes from the unit rates, the second from the base rate."


class _Slip(TypedDict, total=False):
    """An option of `_fills`."""

    sort: bool
    touch: bool
    grow: int


def _fills(rates: Rates, window: int, *, sort: bool = True, touch: bool = True, grow: int = 2) -> bool:
    """Apply the rule; the options bring in the usual mistakes."""
    for rate in sorted(rates) if sort else rates:
        if rate > window or (not touch and rate == window):
            return False
        window += grow * rate
    return True


@exercise("05/fills", title="No holes, seen from below", difficulty=2, minutes=4, gives=bool)
def fills(attempt: Callable[[Rates, int], bool]) -> str:
    triples = list(itertools.combinations_with_replacement((1, 2, 3, 4, 8, 12, 16), 3))
    cases = [*triples, (4, 2, 1), (8, 4, 2), (4, 4, 1), (4,), (3, 3)]
    for rates, window in itertools.product(cases, (1, 3, 5, 13)):
        call = written("fills", (rates, window))
        got = attempt(rates, window)
        unfinished(got, call)
        layers = [Layer(window), *(Layer(3, rate=rate) for rate in rates)]
        want = receptive_field.count_holes(layers) == 0
        if bool(got) != want:
            raise Wrong(
                f"{call} gives {bool(got)}, but it should be {want}. {_wrong_rule(attempt, cases)}".rstrip()
            )
    return "With a window of 1 it is lesson 02's rule."


def _wrong_rule(attempt: Callable[[Rates, int], bool], cases: list[Rates]) -> str:
    mistakes: dict[str, _Slip] = {
        "Go through the rates from the smallest to the largest: their order in the block does not matter.": {
            "sort": False
        },
        "A rate equal to the window leaves no hole: the copies touch.": {"touch": False},
        "The window grows on both sides, by twice the rate.": {"grow": 1},
        "The window grows with each layer: compare the next rate with the new one.": {"grow": 0},
    }
    asked = list(itertools.product(cases, (1, 3, 5, 13)))
    for message, options in mistakes.items():
        if all(bool(attempt(rates, window)) == _fills(rates, window, **options) for rates, window in asked):
            return message
    if all(bool(attempt(rates, window)) == _fills(rates, 1) for rates, window in asked):
        return "You start at a window of 1: start at `window`, which the layers below have filled."
    return ""
