"""The time that each lesson takes: reading, exercises, runs.

    python -m dlv3.course.kit.times                                   # a table of all lessons
    python -m dlv3.course.kit.times --write                           # and the time in each lesson's first lines
    python -m dlv3.course.kit.times --measure notebooks/05_*.ipynb    # run a lesson first, and keep its run time

Reading is the text's words at 200 a minute, without hints and solutions, which stay folded unless one needs them. The
exercises' minutes are those that their checks state; an exam's are those in the lesson's first lines, "15 of them for
the exam". The runs are the processor seconds of all cells, which `dlv3.course.kit.notebooks` keeps in the notebook's
metadata when it runs a lesson. A lesson states the sum, rounded up to five minutes.
"""

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from dlv3.course.kit import exercises, notebooks
from dlv3.files import write_atomically

WORDS_A_MINUTE = 200
STEP = 5

_STATED = re.compile(r"(\*\*Time\*\*: )(\d+)( minutes)")
_EXAM = re.compile(r"(\d+) of them for the exam")
_HELP = re.compile(r"<details>\s*<summary>\s*(?:Hint|Solution).*?</details>", re.S)
_TARGET = re.compile(r"\]\([^)\s]*\)")
_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"\w")


@dataclass(frozen=True)
class LessonTime:
    """A lesson's time, in minutes if nothing else is said.

    Args:
        words: of its text.
        exercises: the sum of what its exercises state.
        seconds: that its cells run; None if it was not measured.
        stated: in its first lines; None if there is no such line.
    """

    words: int
    exercises: int
    seconds: int | None
    stated: int | None

    @property
    def reading(self) -> float:
        return self.words / WORDS_A_MINUTE

    @property
    def together(self) -> float:
        return self.reading + self.exercises + (self.seconds or 0) / 60

    @property
    def honest(self) -> int:
        """The time that the lesson should state."""
        return STEP * math.ceil(self.together / STEP)


def words(markdown: str) -> int:
    """Count what is read of a text: no hints, solutions, addresses of links, and no marks without a letter."""
    visible = _TAG.sub(" ", _TARGET.sub("]", _HELP.sub("", markdown)))
    return sum(1 for word in visible.split() if _WORD.search(word))


def stated(notebook: NotebookNode) -> int | None:
    """Return the minutes that a lesson's first lines state, or None without such a line."""
    found = _STATED.search(notebook.cells[0].source) if notebook.cells else None
    return int(found[2]) if found else None


def of(notebook: NotebookNode) -> LessonTime:
    """Return the time of a lesson, from its notebook and the checks of its exercises."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    exam = _EXAM.search(texts[0]) if texts else None
    return LessonTime(
        words=sum(map(words, texts)),
        exercises=sum(exercises.find(name).minutes for name, _ in notebooks.tagged(notebook, "exercise:"))
        + (int(exam[1]) if exam else 0),
        seconds=notebook.metadata.get("dlv3", {}).get("seconds"),
        stated=stated(notebook),
    )


def write(path: Path) -> bool:
    """Put the honest time into a lesson's first lines, and tell whether the file changed.

    Raises:
        ValueError: the lesson was not measured, or has no line of the form `**Time**: 25 minutes`.
    """
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    time = of(notebook)
    if time.seconds is None:
        raise ValueError(f"{path}: its run time is not known; run it with --measure")
    if time.stated is None:
        raise ValueError(f"{path}: its first cell needs a line that begins with **Time**: 25 minutes")
    if time.stated == time.honest:
        return False
    opening = notebook.cells[0]
    opening.source = _STATED.sub(rf"\g<1>{time.honest}\g<3>", opening.source, count=1)
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())
    return True


def measure(path: Path) -> None:
    """Run a lesson and keep the seconds in its metadata; its stored outputs stay as they are."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    notebook.metadata["dlv3"] = {"seconds": notebooks.execute(nbformat.read(path, as_version=4), path.parent)}
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())


def table(times: dict[str, LessonTime]) -> str:
    """Return a table of lessons, a line each."""
    lines = [
        f"{'lesson':<24}{'words':>7}{'reading':>9}{'exercises':>11}{'runs':>7}{'together':>10}{'stated':>8}"
    ]
    for name, time in times.items():
        runs = "?" if time.seconds is None else f"{time.seconds / 60:.1f}"
        lines.append(
            f"{name:<24}{time.words:>7,}{time.reading:>9.1f}{time.exercises:>11}{runs:>7}{time.together:>10.1f}"
            f"{time.stated or '?':>8}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Say how long each lesson takes.")
    parser.add_argument(
        "notebooks", nargs="*", type=Path, help="all of the folder notebooks if none is given"
    )
    parser.add_argument(
        "--measure", action="store_true", help="run the lessons first, and keep their run times"
    )
    parser.add_argument("--write", action="store_true", help="put the time into each lesson's first lines")
    chosen = parser.parse_args(arguments)
    paths = chosen.notebooks or sorted(Path("notebooks").glob("[0-9]*.ipynb"))
    for path in paths:
        if chosen.measure:
            measure(path)
        if chosen.write and write(path):
            print(f"new time: {path}")
    print(table({path.stem: of(nbformat.read(path, as_version=4)) for path in paths}))


if __name__ == "__main__":
    main()
