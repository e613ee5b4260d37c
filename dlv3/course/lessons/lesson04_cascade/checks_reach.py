"""Checks of lesson 04 on what an output reads: taps on the map, and the places that a stack reaches."""

from collections.abc import Callable

from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, unfinished, written


def _met(centre: int, rate: int, last: int) -> int:
    """Count how many of three taps along an axis lie between 0 and `last`."""
    return sum(0 <= centre + step <= last for step in (-rate, 0, rate))


def valid_taps(row: int, column: int, rate: int, side: int) -> int:
    """Count how many of a 3×3 filter's nine taps lie on a map of `side` × `side` samples."""
    return _met(row, rate, side - 1) * _met(column, rate, side - 1)


@exercise("04/taps-on-map", title="Taps on the map", difficulty=2, minutes=4, gives=plain)
def taps_on_map(attempt: Callable[[int, int, int, int], int]) -> str:
    cases = (
        (16, 16, 16, 33),
        (0, 0, 16, 33),
        (0, 16, 16, 33),
        (17, 3, 16, 33),
        (5, 30, 4, 33),
        (2, 3, 40, 33),
        # One step inside and outside of each border, along each axis, and maps of other sizes.
        (32, 16, 16, 33),
        (16, 32, 16, 33),
        (15, 16, 16, 33),
        (16, 15, 16, 33),
        (16, 17, 16, 33),
        (5, 12, 5, 18),
        (39, 20, 12, 40),
        (5, 14, 5, 18),
        (14, 5, 5, 18),
    )
    for row, column, rate, side in cases:
        rows, columns = _met(row, rate, side - 1), _met(column, rate, side - 1)
        want = valid_taps(row, column, rate, side)
        beyond = f"Rows and columns run from 0 to {side - 1}: {side} is padding."
        hints = {
            9: "A filter near the border has taps on the padding.",
            rows + columns: "Each of the rows meets each of the columns: multiply.",
            rows: "That is one axis. Each of these rows has taps along the columns.",
            _met(row, rate, side) * _met(column, rate, side): beyond,
            _met(row, rate, side) * columns: beyond,
            rows * _met(column, rate, side): beyond,
        }
        hints.pop(want, None)
        call = written("taps_on_map", (row, column, rate, side))
        equal(attempt(row, column, rate, side), want, call, hints)
    return "The other taps multiply zeros: their weights do nothing at this place."


def reachable(rates: tuple[int, ...]) -> set[int]:
    """Return all places that a stack of 3-tap layers with these rates reads, as distances along an axis."""
    places = {0}
    for rate in rates:
        places = {place + step for place in places for step in (-rate, 0, rate)}
    return places


def can_reach(rates: tuple[int, ...], distance: int) -> bool:
    """Tell whether a stack of 3-tap layers with these rates reads the place `distance` away."""
    return distance in reachable(rates)


@exercise("04/reaches", title="What a stack reaches", difficulty=2, minutes=5, gives=bool)
def reaches(attempt: Callable[[tuple[int, ...], int], bool]) -> str:
    cases = [
        ((1, 1, 1, 1), 12), ((1, 2, 4, 8), 12), ((8, 8, 8, 8), 12), ((4, 4, 4, 4), 12), ((1, 2, 4, 8), 15),
        ((1, 2, 4, 8), 16), ((1, 2, 4, 8), 0), ((3, 5), 2), ((1, 8), 6), ((2, 4), 5), ((1, 2, 4, 8), -7), ((3,), 4),
    ]  # fmt: skip
    for rates, distance in cases:
        call = written("reaches", (rates, distance))
        got = attempt(rates, distance)
        unfinished(got, call)
        want = can_reach(rates, distance)
        if bool(got) == want and not isinstance(got, set | list | tuple):
            continue
        require(
            not isinstance(got, set | list | tuple),
            f"{call} gives all the places. Ask whether `distance` is `in` them.",
        )
        raise Wrong(f"{call} gives {bool(got)}, but it should be {want}. {_why(rates, distance, want)}")
    return "The sum of the rates bounds the reach. Places below it may be skipped."


def _why(rates: tuple[int, ...], distance: int, want: bool) -> str:
    if not want and abs(distance) <= sum(rates):
        return f"It lies within the field, but no sum of steps makes {distance}: the steps are whole rates."
    if want and distance == 0:
        return "A layer may also stay where it is: the middle tap."
    if want and distance < 0:
        return "Taps lie on both sides."
    if want and rates == (3, 5):
        return "One layer can go back: 5 − 3."
    if want:
        return "Each layer may step by its rate, or stay: 4 + 8 makes 12."
    return f"All layers together reach a distance of {sum(rates)} at most."
