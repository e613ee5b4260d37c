"""Every lesson in a real JupyterLab: controls come alive, explorers move by keyboard, nothing leaves the machine.

Two lessons are run whole, from a copy without outputs, as a learner gets it. The others open with their stored outputs,
and of their cells those run that show a control, with the cells that these need. That every cell of every
lesson runs, and shows what is stored, is the test of the notebooks themselves.
"""

import ast

import nbformat
import pytest
from labserver import EXPLORERS, ROOT, open_and_run, shut_kernel_down, watched
from moving import changed, look, move_every_slider
from PIL import Image, ImageDraw

from docs.frames import needed_places, plain_python
from docs.picture_explorers import explorer_words
from docs.predictions import output_html

# The first lesson, and the one whose cells hand files to each other, which no name in the code tells.
RUN_WHOLE = ("00_start_here.ipynb", "13_real_photos.ipynb")
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))

# What JupyterLab itself writes to the console, whatever the notebook.
HARMLESS = ("favicon", "ResizeObserver loop", "/lsp/", "Failed to fetch news")


def has_control(cell: nbformat.NotebookNode) -> bool:
    """Whether a cell shows an explorer, a question or the exam, or something that goes on changing while it runs."""
    if cell.cell_type != "code":
        return False
    called = {
        node.func.id
        for node in ast.walk(ast.parse(plain_python(cell.source)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    drawn = any("data-explorer" in "".join(o.get("data", {}).get("image/svg+xml", "")) for o in cell.outputs)
    asked = any(name in output_html(cell) for name in ("dlv3-question", "dlv3-exam"))
    return drawn or asked or explorer_words(cell) is not None or "display" in called


def cells_with_controls(lesson: str) -> list[int]:
    """Their places, and those of the cells that they need."""
    read = nbformat.read(ROOT / "notebooks" / lesson, as_version=4)
    return needed_places(read, {place for place, cell in enumerate(read.cells) if has_control(cell)})


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_and_its_explorers_move(lesson, notebooks_address, page):
    watch = watched(page)
    if lesson in RUN_WHOLE:
        open_and_run(page, notebooks_address, lesson)
    else:
        open_and_run(page, notebooks_address, f"stored/{lesson}", cells=cells_with_controls(lesson))
    explorers = page.query_selector_all(EXPLORERS)
    source = (ROOT / "notebooks" / lesson).read_text()
    if "Explorer(" in source or "Ladder(" in source:
        assert explorers, "the lesson makes explorers, but none is on the page"
    for explorer in explorers:
        explorer.scroll_into_view_if_needed()
        assert move_every_slider(page, explorer) > 0
        figure = explorer.query_selector(".dx-figure[tabindex]")
        if figure:
            before = look(explorer)
            figure.focus()
            page.keyboard.press(
                "ArrowRight" if "(0, " in before.words or "Output 0" in before.words else "Home"
            )
            assert changed(page, explorer, before).box == before.box
    page.wait_for_timeout(100)  # errors behind the last key press
    assert [error for error in watch.errors if not any(known in error for known in HARMLESS)] == []
    assert watch.outside == []
    shut_kernel_down(page)


def test_own_drawing_goes_through_the_trained_model(notebooks_address, page, tmp_path):
    lesson = "00_start_here.ipynb"
    read = nbformat.read(ROOT / "notebooks" / lesson, as_version=4)
    place = next(place for place, cell in enumerate(read.cells) if cell.id == "own")
    drawing = tmp_path / "drawing.png"
    sheet = Image.new("RGB", (300, 200), "black")
    ImageDraw.Draw(sheet).ellipse((80, 30, 220, 170), fill="orange")
    sheet.save(drawing)
    open_and_run(page, notebooks_address, lesson, cells=needed_places(read, {place}))
    before = page.locator(".dlv3-own-picture img").get_attribute("src")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(drawing)
    said = page.locator(".dlv3-own-picture .dlv3-read-out", has_text="drawing.png, and what the network sees")
    said.wait_for(timeout=20_000)
    assert "background" in said.text_content()
    assert page.locator(".dlv3-own-picture img").get_attribute("src") != before
    shut_kernel_down(page)
