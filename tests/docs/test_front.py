"""The front page's map has each lesson's own time, and README their range."""

import nbformat
from lesson_files import LESSONS, ROOT
from nbformat.v4 import new_markdown_cell, new_notebook

from dlv3.course.kit.times import stated
from docs.front import lesson_map

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_lesson_is_in_the_map_with_the_time_that_it_states():
    times = []
    rows = [line for line in lesson_map(README, ROOT / "notebooks").splitlines() if "](notebooks/" in line]
    assert len(rows) == len(LESSONS)
    for row, path in zip(rows, LESSONS, strict=True):
        minutes = stated(nbformat.read(path, as_version=4))
        times.append(minutes)
        assert f"(notebooks/{path.stem}.ipynb) | {minutes} |" in row
    assert f"Each takes {min(times)} to {max(times)} minutes" in README


def test_sum_is_that_of_the_lessons(tmp_path):
    readme = "".join(f"| 0{i} | [Lesson {i}](notebooks/0{i}_a.ipynb) | 3.1 | it |\n" for i in range(3))
    for i in range(3):
        opening = new_markdown_cell(f"# 0{i}\n\n**Time**: {20 + 20 * i} minutes, 5 of them for training.")
        nbformat.write(new_notebook(cells=[opening]), tmp_path / f"0{i}_a.ipynb")
    assert lesson_map(readme, tmp_path).endswith("| 60 | 3.1 | it |\n\n3 lessons, about 2 hours together.")
