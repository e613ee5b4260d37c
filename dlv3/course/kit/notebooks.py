"""Notebooks as files: run them and store their outputs; find, answer and check the exercises in them.

    python -m dlv3.course.kit.notebooks notebooks/01_atrous_convolution.ipynb          # run, and store the outputs
    python -m dlv3.course.kit.notebooks --tidy notebooks/01_atrous_convolution.ipynb   # only tidy what is stored

Each run stores the same outputs: widget views (their model ids are random, and a reader has no kernel to answer them)
and widget states are left out; a still picture or a text stays in their place.
"""

import argparse
import contextlib
import copy
import math
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import torch
from nbformat import NotebookNode

from dlv3.course.kit import exercises as checking
from dlv3.course.kit.cards import Card
from dlv3.course.kit.exercises import Result
from dlv3.course.kit.explorer import WIDGET_VIEW
from dlv3.files import write_atomically

_SOLUTION = re.compile(
    r"<details>\s*<summary>\s*(?:<[^>]+>)*\s*Solution.*?</summary>(.*?)</details>", re.S | re.I
)
_CODE = re.compile(r"```python\n(.*?)```", re.S)


def run(path: Path, *, timeout: int = 600) -> NotebookNode:
    """Run a notebook from top to bottom in its own folder and store the outputs in it.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the file stays as it was.
    """
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    notebook.metadata["dlv3"] = {"seconds": execute(notebook, path.parent, timeout=timeout)}
    write_atomically(path, (nbformat.writes(tidied(notebook)) + "\n").encode())
    return notebook


def execute(notebook: NotebookNode, folder: Path, *, timeout: int = 600) -> int:
    """Run a notebook's cells in place, and return the processor seconds they took, rounded up to five.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    from nbclient import NotebookClient

    before = os.times()
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        coalesce_streams=True,
    ).execute()
    # The kernel is a child that has ended: its time is added to that of the children before it.
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return 5 * math.ceil(spent / 5)


def tidied(notebook: NotebookNode) -> NotebookNode:
    """Remove from a notebook, in place, what differs from one run or machine to the next.

    What stays of the metadata is the lesson's run time, which `dlv3.course.kit.times` reads.
    """
    kept = {key: value for key, value in notebook.metadata.items() if key == "dlv3"}
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            **kept,
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return notebook


def tidy(path: Path) -> bool:
    """Tidy the outputs stored in a notebook without running it, and tell whether the file changed."""
    notebook = tidied(nbformat.read(path, as_version=4))
    text = nbformat.writes(notebook) + "\n"
    if text == path.read_text(encoding="utf-8"):
        return False
    write_atomically(path, text.encode())
    return True


def tagged(notebook: NotebookNode, prefix: str) -> Iterator[tuple[str, int]]:
    """Yield (rest of the tag, cell's index) for every tag that starts with the prefix."""
    for index, cell in enumerate(notebook.cells):
        for tag in cell.metadata.get("tags", []):
            if tag.startswith(prefix):
                yield tag.removeprefix(prefix), index


@dataclass(frozen=True)
class NotebookExercise:
    """An exercise in a notebook: its stub, the cell that checks it, and the folded solution."""

    name: str
    stub: str
    check: str
    solution: str


def exercises(notebook: NotebookNode) -> list[NotebookExercise]:
    """Return the exercises of a notebook, in order (`dlv3.course.kit.exercises` says how they are written).

    Raises:
        ValueError: an exercise lacks its check or its solution, or a solution lacks its exercise.
    """
    solutions = dict(tagged(notebook, "solution:"))
    found = []
    for name, index in tagged(notebook, "exercise:"):
        stub = notebook.cells[index].source
        checks = [
            c.source for c in notebook.cells[index + 1 :] if c.cell_type == "code" and _checks(c.source, name)
        ]
        if not checks:
            raise ValueError(f"exercise {name!r}: no code cell after its stub calls check({name!r}, ...)")
        if name not in solutions:
            raise ValueError(f"exercise {name!r}: no markdown cell is tagged 'solution:{name}'")
        solution = folded_solution(notebook.cells[solutions.pop(name)].source)
        if not solution:
            raise ValueError(f"exercise {name!r}: its solution cell has no ```python block under 'Solution'")
        found.append(NotebookExercise(name, stub, checks[0], solution))
    if solutions:
        raise ValueError(f"solutions without an exercise: {', '.join(solutions)}")
    return found


def folded_solution(markdown: str) -> str:
    """Return the code under <details><summary>Solution</summary>, its blocks joined; empty if there is none."""
    return "\n".join(code for fold in _SOLUTION.findall(markdown) for code in _CODE.findall(fold))


def _checks(source: str, name: str) -> bool:
    return re.search(rf"""check\(\s*["']{re.escape(name)}["']""", source) is not None


@dataclass(frozen=True)
class Answers:
    """The results of the checks, by the exercise's name.

    Args:
        given: for the code that ran in the stub's place.
        tried: for each further code that was tried there.
    """

    given: dict[str, Result]
    tried: dict[str, list[Result]]


def answer(
    notebook: NotebookNode,
    answers: Mapping[str, str],
    trials: Mapping[str, Sequence[str]] | None = None,
    *,
    seconds: float | None = None,
) -> Answers:
    """Run a notebook's `setup` cells and exercises once, with other code in the stubs' places.

    Args:
        notebook: the lesson.
        answers: by the exercise's name, the code to run in place of the stub; the others run their stub.
        trials: by the exercise's name, codes to try in the stub's place first. Each starts from the names that the
            cells above have made, and leaves no trace for the next one or for the cells below. One that raises
            outside of its check, or never ends, has not passed.
        seconds: the processor time that each of these codes may take; None for no limit.
    """
    tasks = {task.name: task for task in exercises(notebook)}
    stubs = {index: tasks[name] for name, index in tagged(notebook, "exercise:")}
    setup = {index for tag, index in tagged(notebook, "setup") if not tag}
    space: dict[str, Any] = {"__name__": "__main__"}
    answered = Answers({}, {})
    for index, cell in enumerate(notebook.cells):
        if index in stubs:
            task = stubs[index]
            codes = (trials or {}).get(task.name, ())
            answered.tried[task.name] = [_tried(task, code, space, seconds) for code in codes]
            answered.given[task.name] = _answered(task, answers.get(task.name, task.stub), space)
        elif index in setup:
            exec(compile(plain(cell.source), f"<cell {index}>", "exec"), space)
    return answered


def _answered(task: NotebookExercise, code: str, space: dict[str, Any]) -> Result:
    exec(compile(code, f"<{task.name}>", "exec"), space)
    exec(compile(plain(task.check), f"<check of {task.name}>", "exec"), space)
    return checking.results[task.name]


def _tried(task: NotebookExercise, code: str, space: dict[str, Any], seconds: float | None) -> Result:
    """Answer an exercise, then put everything back.

    The answer works on copies, so that it cannot change the objects of the cells above. The copies are in the same
    dictionary, because the functions of those cells look their names up there.
    """
    kept = dict(space)
    data = {name: value for name, value in kept.items() if not isinstance(value, ModuleType)}
    data.pop("__builtins__", None)
    space.update(copy.deepcopy(data))
    try:
        with torch.random.fork_rng(devices=[]), _limited(seconds):
            return _answered(task, code, space)
    except (Exception, KeyboardInterrupt) as error:
        card = Card("wrong", f"Your cell stopped: {task.name}", f"`{type(error).__name__}`: {error}")
        return Result(task.name, False, card, None)
    finally:
        space.clear()
        space.update(kept)


@contextlib.contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Interrupt what runs inside after so much processor time, as a learner would."""
    if seconds is None or not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGVTALRM, interrupt)
    # Again and again: one interrupt may be swallowed by the code that it hits.
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def plain(source: str) -> str:
    """Return the code without IPython's own lines, such as %matplotlib."""
    return "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))


def main() -> None:
    parser = argparse.ArgumentParser(description="Run notebooks from top to bottom and store their outputs.")
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--timeout", type=int, default=600, help="seconds a cell may take")
    parser.add_argument(
        "--tidy",
        action="store_true",
        help="run nothing; remove widget states and times, and keep the outputs",
    )
    arguments = parser.parse_args()
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    for path in arguments.notebooks:
        if arguments.tidy:
            print(f"{'tidied' if tidy(path) else 'tidy already'}: {path}")
            continue
        run(path, timeout=arguments.timeout)
        print(f"ran {path}")


if __name__ == "__main__":
    main()
