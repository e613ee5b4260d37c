"""Check of lesson 13: which of many claims stand, by Holm's rule."""

from collections.abc import Callable, Sequence

from dlv3.course.kit.exercises import exercise, require, unfinished, written
from dlv3.course.lessons.lesson13_conclusions.many_claims import holm

_P_VALUES = (
    [0.03],
    [0.2, 0.02, 0.001],
    [0.01, 0.03, 0.04],
    [0.04, 0.001, 0.02, 0.2],
    [0.03, 0.004, 0.5, 0.013, 0.02],
    [0.03, 0.03],
    [0.016, 0.2, 0.026, 0.02],
)


@exercise("13/holm", title="Which claims stand", difficulty=3, minutes=8)
def stands(attempt: Callable[[list[float], float], list[bool]]) -> str:
    given = []
    for p_values in _P_VALUES:
        call = written("stands", (p_values, 0.05))
        got = attempt(list(p_values), 0.05)
        unfinished(got, call)
        require(
            isinstance(got, list | tuple) and len(got) == len(p_values),
            f"{call} should give {len(p_values)} answers, one a claim, but gives {got!r}.",
        )
        given.append([bool(each) for each in got])
    # One list alone does not tell one wrong rule from another; all of them do.
    slip = next((text for text, rule in _HOLM_SLIPS.items() if given == [rule(p) for p in _P_VALUES]), "")
    for p_values, got in zip(_P_VALUES, given, strict=True):
        want = holm(p_values)
        call = written("stands", (p_values, 0.05))
        require(got == want, f"{call} gives {got}, but it should be {want}. {slip}".rstrip())
    return "The more claims you look at, the more the smallest p-value must show."


def _step_down(
    p_values: Sequence[float], bound: Callable[[int, int], float], *, stop: bool = True
) -> list[bool]:
    found = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        found[index] = p_values[index] <= bound(rank, len(p_values))
        if stop and not found[index]:
            break
    return found


_HOLM_SLIPS: dict[str, Callable[[Sequence[float]], list[bool]]] = {
    "You hold each against the whole level, as if it were the only one.": lambda p: [
        each <= 0.05 for each in p
    ],
    "You hold all against level / m. That is Bonferroni's rule: it is safe too, and lets fewer stand. Once the "
    "smallest stands, one claim fewer is left.": lambda p: [each <= 0.05 / len(p) for each in p],
    "Once one falls, all with larger p-values fall with it: stop there.": lambda p: _step_down(
        p, lambda rank, m: 0.05 / (m - rank), stop=False
    ),
    "You take the claims in the order given. Take the smallest p-value first.": lambda p: _in_given_order(p),
    "You came back with the answers in sorted order; put each in its claim's place.": lambda p: sorted(
        holm(p), reverse=True
    ),
    "That walks through the sorted p-values: put each answer in its claim's place, and stop at the first that "
    "falls.": lambda p: [each <= 0.05 / (len(p) - rank) for rank, each in enumerate(sorted(p))],
    "The smallest is held against level / m, not level / (m + 1): count ranks from 0.": lambda p: _step_down(
        p, lambda rank, m: 0.05 / (m - rank + 1)
    ),
    "The bounds grow the other way: level / m for the smallest p-value, level / 1 for the largest.": lambda p: (
        _step_down(p, lambda rank, m: 0.05 / (rank + 1))
    ),
}


def _in_given_order(p_values: Sequence[float]) -> list[bool]:
    found = [False] * len(p_values)
    for rank, each in enumerate(p_values):
        if each > 0.05 / (len(p_values) - rank):
            break
        found[rank] = True
    return found
