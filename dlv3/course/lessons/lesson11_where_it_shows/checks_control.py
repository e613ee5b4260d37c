"""Checks of lesson 11, where it shows: rates or parameters, by the control."""

from collections.abc import Callable

from dlv3.ablations.results import difference
from dlv3.course.kit.exercises import Wrong, exercise, require, unfinished, written

Scores = dict[int, float]
WORDS = ("rates", "weights", "both", "open")


def credited(row: Scores, plain: Scores, control: Scores) -> str:
    """Return what a row's gain comes from: "rates", "weights", "both", or "open"."""
    rates = _low(row, control) > 0
    weights = _low(control, plain) > 0
    if rates and weights:
        return "both"
    return "rates" if rates else "weights" if weights else "open"


def _low(better: Scores, worse: Scores) -> float:
    return difference([better[seed] - worse[seed] for seed in better]).low


_CASES: tuple[tuple[Scores, Scores, Scores], ...] = (
    # row, plain, control
    ({0: 60.0, 1: 61.0, 2: 59.5}, {0: 40.0, 1: 41.0, 2: 39.0}, {0: 30.0, 1: 31.5, 2: 29.0}),
    ({0: 60.0, 1: 61.0, 2: 59.5}, {0: 40.0, 1: 41.0, 2: 39.0}, {0: 60.5, 1: 60.2, 2: 59.9}),
    ({0: 60.0, 1: 61.0, 2: 59.5}, {0: 40.0, 1: 41.0, 2: 39.0}, {0: 50.0, 1: 51.5, 2: 49.0}),
    ({0: 60.0, 1: 48.0, 2: 55.0}, {0: 50.0, 1: 52.0, 2: 49.0}, {0: 51.0, 1: 50.0, 2: 50.5}),
    # The rows' own scores scatter widely, and their differences do not.
    ({0: 50.0, 1: 70.0, 2: 60.0}, {0: 40.0, 1: 60.5, 2: 49.8}, {0: 40.2, 1: 60.1, 2: 50.3}),
    # The row is below its control for certain: the rates did harm, and the weights helped.
    ({0: 55.0, 1: 56.0, 2: 54.6}, {0: 40.0, 1: 41.0, 2: 39.0}, {0: 60.5, 1: 61.2, 2: 59.9}),
    # The means are apart, and the seeds do not agree.
    ({0: 60.0, 1: 70.0, 2: 61.0}, {0: 50.0, 1: 51.0, 2: 49.0}, {0: 58.0, 1: 49.0, 2: 57.0}),
    # Runs come in any order: only the seed says which belong together.
    ({0: 50.0, 1: 70.0, 2: 60.0}, {2: 49.8, 0: 40.0, 1: 60.5}, {1: 60.1, 2: 50.3, 0: 40.2}),
)


@exercise("11/credit", title="Rates or weights?", difficulty=2, minutes=6)
def credit(attempt: Callable[[Scores, Scores, Scores], str]) -> str:
    for row, plain, control in _CASES:
        call = written("credit", (row, plain, control))
        want = credited(row, plain, control)
        got = attempt(dict(row), dict(plain), dict(control))
        unfinished(got, call)
        require(got in WORDS, f"{call} gives {got!r}, but it should be one of {', '.join(map(repr, WORDS))}.")
        if got != want:
            raise Wrong(f"{call} gives {got!r}, but it should be {want!r}. {_why(row, plain, control)}")
    return "The control has the weights and not the rates, so each step has one cause."


def _why(row: Scores, plain: Scores, control: Scores) -> str:
    steps = (("row − control", row, control), ("control − plain", control, plain))
    said = []
    for name, better, worse in steps:
        found = difference([better[seed] - worse[seed] for seed in better])
        said.append(f"{name} is [{found.low:+.1f}, {found.high:+.1f}]")
    return f"{', '.join(said)}: an interval that lies above 0 gives the credit."
