"""Frames of picture explorers: only the cells that an explorer needs are run, and it says what the lesson stores."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from dlv3.course import ImageExplorer
from docs import frames
from docs.figures import Figures
from docs.lessons import page_of

SETUP = """
import numpy as np
from dlv3.course import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import png
levels = {}
"""
OWN = """
def render(level, kind):
    return png(np.full((8, 12, 3), levels[level], np.uint8))

controls = {"level": Slider("Level", range(20), 3), "kind": Pick("Kind", ("a", "b"))}
says = lambda level, kind: f"Level {level} is {levels[level]}, {kind}."
ImageExplorer(render, controls, says=says, title="Grey", width=24)
"""


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    """A lesson whose explorer needs the first and the third cell."""
    cells = [new_code_cell(source) for source in (
        SETUP, "raise RuntimeError('not needed')", "for i in range(20):\n    levels[i] = 10 * i",
        "levels2 = levels", OWN,
    )]  # fmt: skip
    names: dict = {}
    exec(SETUP + cells[2].source, names)
    body, _, last = OWN.rpartition("\nImageExplorer(")
    exec(body, names)
    made = eval("ImageExplorer(" + last.strip(), names)
    assert isinstance(made, ImageExplorer)
    data = dict(made._repr_mimebundle_())
    cells[-1].outputs = [
        new_output(
            "execute_result", data={key: data[key] for key in ("image/png", "text/plain")}, execution_count=1
        )
    ]
    path = tmp_path_factory.mktemp("lesson") / "07_grey.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 07 Grey"), *cells]), path)
    return path


@pytest.fixture(scope="module")
def made(lesson, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    assert [line.partition(",")[0] for line in frames.make([lesson], folder)] == ["07_grey: 16 frames"]
    return folder


def test_a_frame_and_a_sentence_for_every_position(made, lesson):
    found = frames.frames_of(lesson, made)
    assert found is not None
    level, kind = found.controls
    assert (level.values[level.start], kind.values, kind.pick, level.pick) == ("3", ("a", "b"), True, False)
    assert len(level.values) == frames.MOST_POSITIONS
    last = f"{len(level.values) - 1}-1"
    assert found.words[last] == "Level 19 is 190, b."
    shown = Image.open(made / "07_grey" / f"{last}.webp").convert("L").getpixel((0, 0))
    assert abs(shown - 190) < 3
    assert found.size == (24, 16)


def test_frames_are_made_again_only_when_their_cells_change(made, lesson, tmp_path):
    assert list(frames.make([lesson], made)) == ["07_grey: made already"]
    changed = nbformat.read(lesson, as_version=4)
    changed.cells[3].source = "for i in range(20):\n    levels[i] = 5 * i"
    other = tmp_path / lesson.name
    nbformat.write(changed, other)
    assert frames.frames_of(other, made) is None
    with pytest.raises(ValueError, match="Level 3 is 15, a.*stores 'Level 3 is 30, a"):
        list(frames.make([other], tmp_path))


def test_page_shows_frames_where_they_were_made_and_the_still_where_not(made, lesson, tmp_path, monkeypatch):
    def page() -> str:
        cells = page_of(lesson, Figures(tmp_path, "../figures"), "", {}).cells
        return "\n".join(cell.source for cell in cells)

    monkeypatch.setattr(frames, "FRAMES", tmp_path / "none")
    assert "In JupyterLab its sliders move" in page()
    monkeypatch.setattr(frames, "FRAMES", made)
    assert 'src="../frames/07_grey/' in page()
    assert "dlv3.pictures(" in page()


@pytest.mark.parametrize(("count", "start"), [(8, 0), (9, 4), (32, 16), (32, 31), (100, 1)])
def test_thinned_positions_keep_both_ends_and_the_start(count, start):
    kept = frames.thinned(count, start)
    assert {0, start, count - 1} <= set(kept)
    assert kept == sorted(set(kept))
    assert len(kept) == min(count, frames.MOST_POSITIONS)
