"""Checks judge any answer without ever stopping the notebook, and the notebook convention is read as written."""

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dlv3.course.kit import exercises, notebooks
from dlv3.course.kit.exercises import Wrong, check, close, equal, exercise


@pytest.fixture(autouse=True)
def double(monkeypatch):
    """An exercise of lesson 99: double a number."""
    monkeypatch.setattr(exercises, "registry", {})
    monkeypatch.setattr(exercises, "results", {})

    @exercise("99/double", title="Double", difficulty=2, minutes=3)
    def _check(attempt):
        equal(attempt(3), 6, exercises.written("double", (3,)), {9: "You squared it."})
        return "Well doubled."


def _stub(x):
    raise NotImplementedError("not done yet")


@pytest.mark.parametrize(
    ("attempt", "kind", "text"),
    [
        (lambda x: 2 * x, "right", "Well doubled."),
        (lambda x: x * x, "wrong", "`double(3)` gives 9, but it should be 6. You squared it."),
        (lambda x: None, "wrong", "Did you forget `return`?"),
        (lambda x: [x], "wrong", "gives [3]"),
        (lambda x: x / 0, "wrong", "ZeroDivisionError"),
        (lambda: 6, "wrong", "TypeError"),
        (6, "wrong", "TypeError"),
        (lambda x: ..., "open", "run both cells"),
        (_stub, "open", "run both cells"),
        (..., "open", "run both cells"),
    ],
)
def test_any_answer_is_judged_and_none_raises(attempt, kind, text):
    result = check("99/double", attempt)
    assert result.card.kind == kind
    assert result.passed == (kind == "right")
    assert text in repr(result)


def test_or_else_hands_on_the_learners_answer_only_where_it_passed():
    right, wrong, library = (lambda x: 2 * x), (lambda x: x), object()
    assert check("99/double", right).or_else(library) is right
    assert check("99/double", wrong).or_else(library) is library


def test_unknown_exercise_is_the_lessons_mistake():
    with pytest.raises(ValueError, match=r"99/triple.*99/double"):
        check("99/triple", _stub)


def test_close_tells_shape_from_value():
    with pytest.raises(Wrong, match=r"shape \(2,\), but it should be \(3,\)"):
        close(torch.zeros(2), torch.zeros(3), "y")
    with pytest.raises(Wrong, match=r"at \(1,\) it is 5 where 0 belongs"):
        close(torch.tensor([0.0, 5.0]), torch.zeros(2), "y")
    with pytest.raises(Wrong, match=r"^y gives 2\.5, but it should be 1\.5\. Why\.$"):
        close(2.5, 1.5, "y", hint="Why.")
    with pytest.raises(Wrong, match="nan"):
        close(torch.tensor([0.0, torch.nan]), torch.zeros(2), "y")
    close([0.0, 1e-7], torch.zeros(2), "y")


SOLUTION = """<details><summary>Hint</summary>

Add. ```python
raise RuntimeError("a hint is not the solution")
```
</details>
<details><summary><b>Solution</b></summary>

```python
def double(x):
    return FACTOR * x
```
</details>"""


def lesson() -> nbformat.NotebookNode:
    return new_notebook(
        cells=[
            new_code_cell("%matplotlib inline\nFACTOR = 2", metadata={"tags": ["setup"]}),
            new_code_cell("raise RuntimeError('slow cells are not run')"),
            new_code_cell(
                "def double(x):\n    raise NotImplementedError", metadata={"tags": ["exercise:99/double"]}
            ),
            new_code_cell("from dlv3.course import check\ncheck('99/double', double)"),
            new_markdown_cell(SOLUTION, metadata={"tags": ["solution:99/double"]}),
        ]
    )


def test_solution_in_the_stubs_place_passes_and_the_stub_does_not():
    task = notebooks.exercises(lesson())[0]
    assert notebooks.answer(lesson(), {task.name: task.solution}).given[task.name].passed
    assert notebooks.answer(lesson(), {}).given[task.name].card.kind == "open"


def test_tried_answers_start_from_the_cells_above_and_leave_nothing_behind():
    book = lesson()
    book.cells[0].source += "\nSEEN = []\ndef seen():\n    return SEEN, double(FACTOR)"
    spoiling = "SEEN.append(1)\nFACTOR = 3\ndef double(x):\n    return FACTOR * x"
    telling = "def double(x):\n    return x\nassert seen() == ([], 2), seen()"
    task = notebooks.exercises(book)[0]
    got = notebooks.answer(book, {task.name: task.solution}, {task.name: [spoiling, telling, spoiling]})
    assert [result.card.kind for result in got.tried[task.name]] == ["wrong"] * 3
    assert got.given[task.name].passed


@pytest.mark.parametrize(("missing", "message"), [(3, "no code cell"), (4, "no markdown cell is tagged")])
def test_incomplete_exercise_is_named(missing, message):
    notebook = lesson()
    del notebook.cells[missing]
    with pytest.raises(ValueError, match=f"99/double.*{message}"):
        notebooks.exercises(notebook)
