"""Notebooks are tidied without losing what they show; exercises are read from them and answered in their places."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dlv3.course.kit import exercises, notebooks
from dlv3.course.kit.exercises import equal, exercise
from dlv3.course.kit.explorer import WIDGET_VIEW
from dlv3.course.kit.notebooks import tidy

STILL = {"text/plain": "AtrousExplorer(rate=2)", "image/svg+xml": "<svg/>"}


@pytest.fixture
def untidy(tmp_path):
    """A notebook as JupyterLab saves it: widget states, a widget's view, times, the kernel's version."""
    outputs = [
        new_output("display_data", {**STILL, WIDGET_VIEW: {"model_id": "8c1d", "version_major": 2}}),
        new_output("stream", name="stdout", text="88 outputs\n"),
    ]
    cell = new_code_cell("explorer", outputs=outputs, execution_count=4)
    cell.metadata["execution"] = {"iopub.status.idle": "2026-01-01T00:00:00Z"}
    notebook = new_notebook(cells=[new_markdown_cell("# A lesson"), cell])
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {"8c1d": {}}}}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    path = tmp_path / "lesson.ipynb"
    nbformat.write(notebook, path)
    return path


def test_tidying_keeps_every_output_but_the_widgets_view(untidy):
    assert tidy(untidy)
    cell = nbformat.read(untidy, as_version=4).cells[1]
    assert (cell.source, cell.execution_count) == ("explorer", 4)
    assert dict(cell.outputs[0].data) == STILL
    assert cell.outputs[1].text == "88 outputs\n"


def test_tidying_leaves_no_state_time_or_version(untidy):
    tidy(untidy)
    text = untidy.read_text()
    for gone in ("8c1d", "widget-state", "2026-01-01", "3.11.7"):
        assert gone not in text


def test_tidy_notebook_is_left_as_it_is(untidy):
    tidy(untidy)
    before = untidy.read_bytes()
    assert not tidy(untidy)
    assert untidy.read_bytes() == before


@pytest.fixture(autouse=True)
def double(monkeypatch):
    """An exercise of lesson 99: double a number."""
    monkeypatch.setattr(exercises, "registry", {})
    monkeypatch.setattr(exercises, "results", {})

    @exercise("99/double", title="Double")
    def _check(attempt):
        equal(attempt(3), 6, "double(3)")


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
                "def double(x):\n    raise NotImplementedError('not done yet')",
                metadata={"tags": ["exercise:99/double"]},
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
