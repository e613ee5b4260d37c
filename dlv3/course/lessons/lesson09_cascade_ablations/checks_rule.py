"""Checks of lesson 09, the second half: the verdict by rule, and how many seeds an effect needs."""

import math
from collections.abc import Callable, Sequence

from dlv3.ablations.results import T_975, difference
from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, unfinished, written

_DIFFERENCES = (
    (1.0, 1.1, 1.2),  # the interval above 0
    (-1.0, -1.1, -1.2),  # below
    (0.2, 3.0, 6.0),  # each above 0, but far apart
    (-0.2, -3.0, -6.0),
    (1.0, -0.5, 2.0, 0.3),
    (5.0, 5.1),  # two pairs, however close
    (-5.0, -5.1),
    (4.0,),
    (-4.0,),
    (3.0, 3.2, 2.8, 3.1, 2.9),
    (-0.2, -3.0, -6.0, -3.0),  # the interval ends just above 0
    (0.2, 3.0, 6.0, 3.0),
    (0.0, 0.0, 0.0),  # an interval of no length, which holds 0
)


@exercise("09/verdict", title="The verdict, by rule", difficulty=2, minutes=6)
def verdict(attempt: Callable[[list[float]], str]) -> str:
    for values in _DIFFERENCES:
        call = written("verdict", (list(values),))
        want = difference(values).verdict
        got = attempt(list(values))
        unfinished(got, call)
        require(isinstance(got, str), f"{call} gives {got!r}, but it should be one of the rule's four words.")
        if got != want:
            raise Wrong(
                f"{call} gives {got!r}, but it should be {want!r}. {_verdict_slip(values, got)}".rstrip()
            )
    return "It takes no judgement: the rule was written down before the runs."


def _verdict_slip(values: Sequence[float], got: str) -> str:
    found = difference(values)
    if got not in ("reproduced", "opposite", "same direction", "within noise"):
        return "The four words are 'reproduced', 'opposite', 'same direction', 'within noise'."
    if found.pairs < 3 and got in ("reproduced", "opposite"):
        pairs = f"{found.pairs} pairs are" if found.pairs > 1 else "one pair is"
        return f"Wherever they lie, {pairs} too few for that word: it takes three."
    if found.high < 0:
        return "The whole interval lies below 0."
    if all(value < 0 for value in values):
        return "All seeds agree, but on the opposite of the claim: its direction is *above* 0."
    if got == "opposite":
        return f"The interval ends at {found.high:.2f}, so 0 lies in it."
    if got == "reproduced":
        return f"The interval begins at {found.low:.2f}, so 0 lies in it."
    if found.low > 0:
        return f"The interval begins at {found.low:.2f}, so it lies above 0."
    return "Is every single difference above 0, or not?"


def fewest(effect: float, spread: float) -> int:
    """Return the smallest number of seeds, three or more, whose interval is narrower than the effect."""
    n = 3
    while T_975[min(n - 1, len(T_975)) - 1] * spread / math.sqrt(n) >= effect:
        n += 1
    return n


@exercise("09/seeds-needed", title="How many seeds?", difficulty=2, minutes=6, gives=plain)
def seeds_needed(attempt: Callable[[float, float], int]) -> str:
    for effect, spread in (
        (3.0, 2.0),
        (3.0, 4.0),
        (10.0, 1.0),
        (2.0, 4.0),
        (1.0, 4.0),
        (2.5, 4.0),
        (0.5, 1.0),
        (10.0, 6.0),
        (0.505, 2.25),
    ):
        call = written("seeds_needed", (effect, spread))
        try:
            got = attempt(effect, spread)
        except IndexError:
            raise Wrong(
                f"{call} runs past the end of `T_975`, which stops at 30 degrees of freedom. Use its last entry from "
                "there on: `T_975[min(n - 2, 29)]`."
            ) from None
        want = fewest(effect, spread)
        three = "Two seeds are never enough for the rule: begin at three."
        known = "That is right for a known spread, 1.96. With few seeds Student's t is larger."
        normal = math.ceil((1.96 * spread / effect) ** 2)
        later = _later(effect, spread)
        hints: dict[float, str] = {
            want + 1: "One seed fewer is enough.",
            want - 1: "Close. Is the half-width *smaller* than the effect at that number?",
            max(3, normal): known,
            normal: known,
            later: "One entry of `T_975` too far: n differences have n − 1 degrees of freedom, and the table "
            "begins at 1.",
            2: three,
            1: three,
        }
        hints.pop(want, None)
        value = plain(got)
        if isinstance(value, float) and not value.is_integer():
            hints[value] = (
                "A number of seeds is a whole number: count up from three, and ask the formula each time."
            )
        equal(got, want, call, hints)
    return "Half the effect needs about four times the seeds."


def _later(effect: float, spread: float) -> int:
    """Return the number of seeds with the quantile of one degree of freedom too many."""
    n = 2
    while T_975[min(n, len(T_975)) - 1] * spread / math.sqrt(n) >= effect:
        n += 1
    return n
