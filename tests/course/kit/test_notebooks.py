"""Notebooks are tidied without losing what they show."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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
