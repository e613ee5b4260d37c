"""Lessons state the time that they take: reading, exercises and runs, 45 minutes at most."""

import re

import nbformat
import pytest
from lesson_files import LESSONS, ROOT, notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dlv3.course.kit import exercises, notebooks, times
from dlv3.course.kit.exercises import exercise

HINT = "<details><summary>Hint 1</summary>\n\nfive words that are folded\n</details>"


@pytest.fixture
def lesson(monkeypatch, tmp_path):
    """A lesson of 1,400 words, an exercise of 12 minutes and half a minute of runs."""
    monkeypatch.setattr(exercises, "registry", {})
    exercise("99/double", title="Double", minutes=12)(lambda attempt: None)
    opening = "# 99 A lesson\n\n**Time**: 40 minutes, few of them for runs." + " word" * 1389
    stub = new_code_cell("double = ...", metadata={"tags": ["exercise:99/double"]})
    made = new_notebook(cells=[new_markdown_cell(opening), stub, new_markdown_cell(HINT)])
    made.metadata["dlv3"] = {"seconds": 30}
    path = tmp_path / "99_lesson.ipynb"
    nbformat.write(made, path)
    return path


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a **rate** of 2 – and more", 6),
        ("[output stride](glossary.ipynb#cell-id=output-stride) is", 3),
        ("| one | two |\n|---|---|\n| 3 | 4 |", 4),
        (f"before\n{HINT}\nafter", 2),
        ("<details><summary>A question?</summary>\n\nIts answer.\n</details>", 4),
    ],
    ids=["marks", "link", "table", "hint", "question"],
)
def test_words_are_those_that_are_read(text, count):
    assert times.words(text) == count


def test_time_is_reading_exercises_and_runs_rounded_up_to_five_minutes(lesson):
    time = times.of(nbformat.read(lesson, as_version=4))
    assert (time.words, time.exercises, time.seconds, time.stated) == (1400, 12, 30, 40)
    assert time.together == pytest.approx(7 + 12 + 0.5)
    assert time.honest == 20


def test_an_exam_counts_as_long_as_the_first_lines_say(lesson):
    made = nbformat.read(lesson, as_version=4)
    made.cells[0].source = made.cells[0].source.replace("few of them for runs", "15 of them for the exam")
    assert times.of(made).exercises == 12 + 15


def test_writing_changes_the_stated_time_alone(lesson):
    before = lesson.read_text()
    assert times.write(lesson)
    assert lesson.read_text() == before.replace("40 minutes", "20 minutes")
    assert not times.write(lesson)


@pytest.mark.parametrize(
    ("part", "message"), [("dlv3", "--measure"), ("**Time**", "first cell needs a line")]
)
def test_lesson_without_a_run_time_or_a_stated_time_is_named(lesson, part, message):
    lesson.write_text(lesson.read_text().replace(part, "other"))
    with pytest.raises(ValueError, match=f"99_lesson.*{message}"):
        times.write(lesson)


def test_measuring_keeps_the_stored_outputs(lesson, monkeypatch):
    def execute(notebook, folder):
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="ran")]
        return 25

    monkeypatch.setattr(notebooks, "execute", execute)
    times.measure(lesson)
    measured = nbformat.read(lesson, as_version=4)
    assert measured.metadata["dlv3"] == {"seconds": 25}
    assert measured.cells[1].outputs == []


def test_table_has_a_line_for_each_lesson(lesson, capsys):
    times.main([str(lesson)])
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.split() == ["lesson", "words", "reading", "exercises", "runs", "together", "stated"]
    assert line.split() == ["99_lesson", "1,400", "7.0", "12", "0.5", "19.5", "40"]


def lesson_time(path):
    time = times.of(notebook(path))
    assert time.seconds is not None, "run python -m dlv3.course.kit.times --measure"
    return time


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_states_its_time(path):
    time = lesson_time(path)
    assert time.stated == time.honest, "run python -m dlv3.course.kit.times --write"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_takes_as_long_as_readme_says(path):
    least, most = map(
        int, re.search(r"Each takes (\d+) to (\d+) minutes", (ROOT / "README.md").read_text()).groups()
    )
    assert least <= lesson_time(path).honest <= most == 45
