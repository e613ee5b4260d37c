"""nbval compares only what is stored; these tests keep it from comparing nothing."""

import re

import pytest
from lesson_files import GLOSSARY, LESSONS, NOTEBOOKS, ROOT, companion, notebook
from nbval.plugin import get_sanitize_patterns

from dlv3.course import AtrousExplorer
from dlv3.course.kit.explorer import WIDGET_VIEW

IGNORING = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}
MARKERS = re.compile(r"#\s*(NBVAL_\w+|PYTEST_VALIDATE_IGNORE_OUTPUT)")


def code_cells(path):
    return [cell for cell in notebook(path).cells if cell.cell_type == "code"]


def is_compared(output) -> bool:
    """Tell whether nbval compares more of an output than the presence of a figure."""
    data = output.get("data", {})
    text = str(output.get("text", "")) or str(data.get("text/plain", ""))
    return bool(text or data) and not text.startswith("<Figure") and set(data) != {"image/png"}


def names(paths):
    return {"argvalues": paths, "ids": [path.stem for path in paths]}


def test_there_are_lessons_and_they_are_numbered_without_gaps():
    numbers = [int(path.name[:2]) for path in LESSONS]
    assert numbers == list(range(len(numbers)))
    assert numbers, "no lessons in notebooks/"


def test_every_notebook_is_a_lesson_or_the_glossary():
    assert [path for path in NOTEBOOKS if path not in LESSONS] == [GLOSSARY]


@pytest.mark.parametrize("path", **names(LESSONS))
def test_every_cell_was_run_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts, "a lesson has code"
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", **names(LESSONS))
def test_ignored_cells_are_listed_and_few(path):
    cells = code_cells(path)
    ignored = {cell.id for cell in cells if IGNORING & set(cell.metadata.get("tags", []))}
    assert ignored == set(companion(path).IGNORED_CELLS), "tags and the lesson's IGNORED_CELLS differ"
    assert len(ignored) <= 0.1 * len(cells)
    marked = [cell.id for cell in cells if MARKERS.search(cell.source)]
    assert marked == [], "nbval is steered by tags, not by comments"


@pytest.mark.parametrize("path", **names(LESSONS))
def test_stored_outputs_are_plenty_and_clean(path):
    cells = code_cells(path)
    compared = 0
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", f"{cell.id}: {output.get('ename')}"
            assert output.get("name") != "stderr", (
                f"{cell.id} writes to stderr: {output.get('text', '')[:200]}"
            )
            assert WIDGET_VIEW not in output.get("data", {}), (
                f"{cell.id}: run it by dlv3.course.kit.notebooks"
            )
        compared += any(map(is_compared, cell.outputs)) and not IGNORING & set(cell.metadata.get("tags", []))
    assert compared >= len(cells) / 3, f"{compared} of {len(cells)} cells have an output that is compared"


@pytest.mark.parametrize("path", **names(LESSONS))
def test_cells_are_short(path):
    for cell in code_cells(path):
        if not any(tag.startswith("exercise:") for tag in cell.metadata.get("tags", [])):
            assert len(cell.source.splitlines()) <= 20, f"{cell.id} has {len(cell.source.splitlines())} lines"


@pytest.mark.parametrize("path", **names([path for path in LESSONS if not path.name.startswith("00")]))
def test_lesson_has_exercises_and_predictions(path):
    tags = [tag for cell in code_cells(path) for tag in cell.metadata.get("tags", [])]
    source = "\n".join(cell.source for cell in code_cells(path))
    exercises = sum(tag.startswith("exercise:") for tag in tags)
    # An exam is ten questions more.
    assert exercises >= (2 if "exam.result()" in source else 4)
    assert len(re.findall(r"\b(?:Choice|Number)\(", source)) >= 2
    assert source.count(".compare(") >= len(re.findall(r"\b(?:Choice|Number)\(", source))


def test_nbval_sees_another_state_of_an_explorer_and_not_another_drawing():
    patterns = get_sanitize_patterns((ROOT / "tests" / "nbval_sanitize.cfg").read_text())

    def sanitized(output: str) -> str:
        for pattern, replacement in patterns:
            output = re.sub(pattern, replacement, output)
        return output

    still = AtrousExplorer(rate=2).still()
    assert sanitized(still) == sanitized(still.replace('rx="10"', 'rx="12"'))
    assert sanitized(still) != sanitized(AtrousExplorer(rate=3).still())
