'''Exercises that check themselves at once, and the form in which lessons hold them.

**For a lesson's author.** An exercise is four things in the notebook and two outside it:

1. A code cell tagged `exercise:NAME` with the stub. NAME is `LESSON/short-name`, such as `01/effective-kernel`.
   A stub function raises `NotImplementedError("not done yet")`; a stub value is `...`:

       def effective_kernel(kernel_size: int, rate: int) -> int:
           """The side of the window that one output spans."""
           raise NotImplementedError("not done yet")

2. The next code cell calls `check("01/effective-kernel", effective_kernel)` on its last line. It returns a card
   and never raises, so Run All continues.
3. Hints, each in its own `<details>` of a markdown cell.
4. A markdown cell tagged `solution:NAME` with the solution in a fenced `python` block inside
   `<details><summary>Solution</summary>`. It replaces the whole stub cell.
5. The check, in a file `checks*.py` of the lesson's room: a function under `@exercise(NAME, ...)` that raises `Wrong`
   with a message that helps, or returns nothing (or a sentence of praise).
6. Two or more wrong answers, in the `mistakes.py` of the lesson's tests.

Code cells that a solution needs (imports, small data) are tagged `setup`; tests run those, never the slow cells.
If a lesson uses the learner's function further on, it takes `check(...).or_else(library_function)`, so that an
untouched notebook still runs. An answer that the check lets pass must serve there: `@exercise(..., gives=tuple)` turns
what the learner's function returns into the form that the lesson goes on with.

What every check gets without asking (`dlv3.course.kit.watching`): an answer that changes its inputs in place is
refused, a check that takes too long says how to interrupt it, and an interrupt shows where the code was.
'''

import importlib
import linecache
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import torch

from dlv3.course import lessons
from dlv3.course.kit import watching
from dlv3.course.kit.advice import advice
from dlv3.course.kit.cards import Card
from dlv3.course.kit.watching import NOT_DONE, Wrong

__all__ = [
    "Check", "Exercise", "Result", "Wrong", "check", "close", "equal", "exercise", "find", "plain", "registry",
    "require", "results", "unfinished", "written",
]  # fmt: skip

Check = Callable[[Any], str | None]
Form = Callable[[Any], Any]


@dataclass(frozen=True)
class Exercise:
    """An exercise with its check.

    Args:
        name: `LESSON/short-name`.
        title: a few words for the cards.
        difficulty: 1 to 5.
        minutes: an estimate.
        check: the function that judges an answer.
        gives: turns what a learner's function returns into the form that the lesson goes on with.
    """

    name: str
    title: str
    difficulty: int
    minutes: int
    check: Check
    gives: Form | None = None


@dataclass(frozen=True)
class Result:
    """The result of a check, shown as a card; `passed` and `or_else` are for the cells that follow."""

    name: str
    passed: bool
    card: Card
    attempt: Any

    def or_else(self, fallback: Any) -> Any:
        """Return the learner's answer if it passed the check, and the library's otherwise.

        Where the exercise has a form (`gives`), the returned function gives its results in that form.
        """
        if not self.passed:
            return fallback
        gives = registry[self.name].gives if self.name in registry else None
        return self.attempt if gives is None else watching.in_form(self.attempt, gives)

    def __repr__(self) -> str:
        return repr(self.card)

    def _repr_html_(self) -> str:
        return self.card._repr_html_()


registry: dict[str, Exercise] = {}
# The last result of each exercise, for the lesson's summary and for tests.
results: dict[str, Result] = {}


def exercise(
    name: str, *, title: str, difficulty: int = 1, minutes: int = 5, gives: Form | None = None
) -> Callable[[Check], Check]:
    """Register the decorated function as the check of the exercise `name` (`LESSON/short-name`)."""

    def register(function: Check) -> Check:
        registry[name] = Exercise(name, title, difficulty, minutes, function, gives)
        return function

    return register


def find(name: str) -> Exercise:
    """Return the exercise of that name; its lesson's `checks*.py` are imported at first use.

    Raises:
        ValueError: the exercise does not exist.
    """
    lesson = name.partition("/")[0]
    for file in Path(lessons.__path__[0]).glob(f"lesson{lesson}_*/checks*.py"):
        importlib.import_module(f"{lessons.__name__}.{file.parent.name}.{file.stem}")
    if name not in registry:
        known = sorted(key for key in registry if key.startswith(f"{lesson}/"))
        raise ValueError(f"exercise {name!r} is unknown; lesson {lesson} has {', '.join(known) or 'none'}")
    return registry[name]


def check(name: str, attempt: Any) -> Result:
    """Check a learner's answer and say what to do next, without raising, whatever the answer does.

    Args:
        name: the exercise, `LESSON/short-name`.
        attempt: the learner's function, class or value.

    Returns:
        The result, which is shown as a card.

    Raises:
        ValueError: the exercise does not exist (a mistake in the lesson, not in the answer).
    """
    task = find(name)
    card = _judge(task, attempt)
    results[name] = Result(name, card.kind == "right", card, attempt)
    return results[name]


def _judge(task: Exercise, attempt: Any) -> Card:
    label = f"{task.title} ({'●' * task.difficulty}{'○' * (5 - task.difficulty)}, {task.minutes} min)"
    if attempt is ...:
        return Card(
            "open", f"Not done yet: {label}", "Replace the `...` in the cell above, then run both cells."
        )
    try:
        with watching.patience(task.title):
            praise = task.check(watching.watched(attempt))
    except Wrong as wrong:
        return Card("wrong", f"Not right yet: {task.title}", str(wrong))
    except KeyboardInterrupt as stop:
        return Card("wrong", f"Interrupted: {task.title}", _interrupted(stop.__traceback__))
    except Exception as error:
        if _is_stub(error):
            return _not_done(label, attempt, error)
        return Card("wrong", f"Your code stopped: {task.title}", _where(error))
    return Card("right", f"Right: {task.title}", praise or "")


def _is_stub(error: Exception) -> bool:
    """Tell the stub's own exception from one that torch or the learner's code raises."""
    return type(error) is NotImplementedError and error.args == (NOT_DONE,)


def _not_done(label: str, attempt: Any, error: Exception) -> Card:
    """Say that an answer is missing, or that it calls a function of another exercise that is not written yet."""
    frames = _learners_frames(error.__traceback__)
    own = getattr(attempt, "__qualname__", "")
    if frames and own:
        name = frames[-1].tb_frame.f_code.co_qualname
        if (
            name != own
            and not name.startswith(f"{own}.")
            and any(each.tb_frame.f_code.co_qualname.startswith(own) for each in frames)
        ):
            return Card(
                "open", f"Not done yet: {label}", f"Your code calls `{name}`, which is not written yet."
            )
    return Card("open", f"Not done yet: {label}", "Write your answer above, then run both cells again.")


def _learners_frames(trace: TracebackType | None) -> list[TracebackType]:
    """Return the parts of a traceback that lie in a notebook's cells, the innermost last."""
    frames = []
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if ("ipykernel" in file and "site-packages" not in file) or file.startswith("<"):
            frames.append(trace)
        trace = trace.tb_next
    return frames


def _line(trace: TracebackType | None) -> str:
    """Return the innermost line of the learner's code as `line 3 of your cell: ...`, or an empty string."""
    frames = _learners_frames(trace)
    if not frames:
        return ""
    at = frames[-1]
    source = linecache.getline(at.tb_frame.f_code.co_filename, at.tb_lineno).strip()
    return f"line {at.tb_lineno} of your cell" + (f", `{source}`" if source else "")


def _where(error: Exception) -> str:
    """Return the error in one sentence, with the line of the learner's code that it came from."""
    line = _line(error.__traceback__)
    said = f"`{type(error).__name__}`{f' in {line}' if line else ''}: {error}"
    meaning = advice(error)
    return f"{said.removesuffix('.')}. {meaning}" if meaning else said


def _interrupted(trace: TracebackType | None) -> str:
    """Say where the learner's code was when it was interrupted."""
    line = _line(trace)
    if not line:
        return "The check did not come to its end. Run it again."
    return f"Your code was at {line}. Does its loop ever end? Look at what must change in each round."


# The parts of checks. Each raises Wrong with a message that shows the call, its result and the right one.


def require(condition: object, message: str) -> None:
    """Raise `Wrong(message)` unless the condition holds."""
    if not condition:
        raise Wrong(message)


def written(call: str, arguments: tuple[Any, ...]) -> str:
    """Return a call as the learner would write it: `output_size(15, 3, 2)`; tensors as their shapes."""

    def shown(value: Any) -> str:
        return f"tensor of shape {tuple(value.shape)}" if isinstance(value, torch.Tensor) else repr(value)

    return f"`{call}({', '.join(map(shown, arguments))})`"


def equal(got: Any, want: Any, what: str, hints: dict[Any, str] | None = None) -> None:
    """Require that a number, string, tuple or the like has the right value.

    Args:
        got: the learner's value.
        want: the right value.
        what: its name in the message, such as the text of `written(...)`.
        hints: for particular wrong values, the sentence that names the mistake behind them.
    """
    unfinished(got, what)
    got = plain(got)
    # In Python True equals 1.
    if isinstance(got, bool) != isinstance(want, bool) and isinstance(want, numbers.Number):
        raise Wrong(f"{what} gives {got!r}, but it should be {want!r}.")
    try:
        same = bool(got == want)
    except (RuntimeError, ValueError, TypeError):  # an array or tensor of several values
        same = False
    if same:
        return
    try:
        hint = (hints or {}).get(got, "")
    except TypeError:
        # A list is not hashable, so it has no hint.
        hint = ""
    raise Wrong(f"{what} gives {got!r}, but it should be {want!r}. {hint}".rstrip())


def plain(got: Any) -> Any:
    """Return a tensor or array of one value, or a NumPy number, as Python's own number; anything else as it is.

    Tuples and lists keep their kind and have their entries made plain.
    """
    if isinstance(got, torch.Tensor | np.ndarray) and (got.ndim == 0 or got.shape == (1,)):
        return got.item()
    if isinstance(got, np.generic):
        return got.item()
    if type(got) in (tuple, list):
        return type(got)(map(plain, got))
    return tuple(got) if isinstance(got, torch.Size) else got


def close(got: Any, want: Any, what: str, *, tolerance: float = 1e-5, hint: str = "") -> None:
    """Require that a tensor, array or number equals the right one within a tolerance: first shape, then values.

    Raises:
        Wrong: the message has the shapes, or the largest difference and its place.
    """
    unfinished(got, what)
    try:
        mine = torch.as_tensor(got).detach().double()
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{what} gives a {type(got).__name__}, but it should be a tensor or a number.") from None
    right = torch.as_tensor(want).detach().double()
    if mine.shape != right.shape:
        shapes = f"the shape {tuple(mine.shape)}, but it should be {tuple(right.shape)}"
        raise Wrong(f"{what} has {shapes}. {hint}".rstrip())
    off = (mine - right).abs()
    if not bool((off <= tolerance).all()):
        at = tuple(int(i) for i in torch.unravel_index(off.nan_to_num(torch.inf).argmax(), off.shape))
        found, belongs = f"{mine[at].item():.6g}", f"{right[at].item():.6g}"
        # A single number has no shape or place to report.
        if not at:
            raise Wrong(f"{what} gives {found}, but it should be {belongs}. {hint}".rstrip())
        raise Wrong(
            f"{what} has the right shape, but at {at} it is {found} where {belongs} belongs. {hint}".rstrip()
        )


def unfinished(got: Any, what: str) -> None:
    """Raise if the value is missing: a stub's `...` is not done yet, `None` is a forgotten `return`."""
    if got is ...:
        raise NotImplementedError(NOT_DONE)
    if got is None:
        raise Wrong(f"{what} gives `None`. Did you forget `return`?")
