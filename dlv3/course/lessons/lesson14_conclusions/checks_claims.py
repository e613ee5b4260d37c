"""Check of lesson 14: which of many claims stand, by Holm's rule."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dlv3.course.kit.answers import several
from dlv3.course.kit.exercises import exercise, require, written
from dlv3.course.lessons.lesson14_conclusions.many_claims import holm

Rule = Callable[[Sequence[float]], list[bool]]

_P_VALUES = (
    [0.03],
    [0.2, 0.02, 0.001],
    [0.01, 0.03, 0.04],
    [0.04, 0.001, 0.02, 0.2],
    [0.03, 0.004, 0.5, 0.013, 0.02],
    [0.03, 0.03],
    [0.016, 0.2, 0.026, 0.02],
    [0.05],  # exactly the level stands
)


def _as_answers(got: Iterable[Any]) -> list[bool]:
    return [bool(each) for each in got]


@exercise("14/holm", title="Which claims stand", difficulty=3, minutes=8, gives=_as_answers)
def stands(attempt: Callable[[list[float], float], list[bool]]) -> str:
    given = []
    for p_values in _P_VALUES:
        call = written("stands", (p_values, 0.05))
        got = several(
            attempt(list(p_values), 0.05), call, len(p_values), f"{len(p_values)} answers, one a claim"
        )
        given.append([bool(each) for each in got])
    # One list alone does not tell one wrong rule from another; all of them do.
    slip = next((text for rule, text in _HOLM_SLIPS if given == [rule(p) for p in _P_VALUES]), "")
    for p_values, found in zip(_P_VALUES, given, strict=True):
        want = holm(p_values)
        call = written("stands", (p_values, 0.05))
        require(found == want, f"{call} gives {found}, but it should be {want}. {slip}".rstrip())
    for level in (0.1, 0.01):
        for p_values in _P_VALUES:
            call, want = written("stands", (p_values, level)), holm(p_values, level)
            made = several(attempt(list(p_values), level), call, len(p_values), "one answer a claim")
            found = _as_answers(made)
            fixed = "You compare with 0.05 whatever `level` is." if found == holm(p_values) else ""
            require(found == want, f"{call} gives {found}, but it should be {want}. {fixed}".rstrip())
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


def _in_given_order(p_values: Sequence[float]) -> list[bool]:
    found = [False] * len(p_values)
    for rank, each in enumerate(p_values):
        if each > 0.05 / (len(p_values) - rank):
            break
        found[rank] = True
    return found


def _against(bound: Callable[[int], float]) -> Rule:
    """Return the rule that holds every p-value against one bound, by the number of claims."""
    return lambda p_values: [each <= bound(len(p_values)) for each in p_values]


def _stepping(bound: Callable[[int, int], float], *, stop: bool = True) -> Rule:
    """Return the rule that steps down with a bound by rank and number of claims."""
    return lambda p_values: _step_down(p_values, bound, stop=stop)


_HOLM_SLIPS: list[tuple[Rule, str]] = [
    (_against(lambda m: 0.05), "You compare each with the whole level, as if it were the only one."),
    (
        _against(lambda m: 0.05 / m),
        "You compare all with level / m. That is Bonferroni's rule: it is safe too, but lets fewer stand. Once the "
        "smallest stands, one claim fewer is left.",
    ),
    (
        _stepping(lambda rank, m: 0.05 / (m - rank), stop=False),
        "Once one falls, all with larger p-values fall with it: stop there.",
    ),
    (_in_given_order, "You take the claims in the order given. Take the smallest p-value first."),
    (
        lambda p: sorted(holm(p), reverse=True),
        "Your answers are in sorted order; put each in its claim's place.",
    ),
    (
        lambda p: [each <= 0.05 / (len(p) - rank) for rank, each in enumerate(sorted(p))],
        "That goes through the sorted p-values: put each answer in its claim's place, and stop when one falls.",
    ),
    (
        _stepping(lambda rank, m: 0.05 / (m - rank + 1)),
        "Compare the smallest with level / m, not level / (m + 1): count ranks from 0.",
    ),
    (
        _stepping(lambda rank, m: 0.05 / (rank + 1)),
        "The bounds go the other way: level / m for the smallest p-value, level / 1 for the largest.",
    ),
]
