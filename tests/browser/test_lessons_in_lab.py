"""Every lesson in a real JupyterLab: all cells run, every explorer moves by keyboard, nothing leaves the machine."""

import pytest
from labserver import EXPLORERS, ROOT, open_and_run, shut_kernel_down, watched
from moving import changed, look, move_every_slider

LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))

# What JupyterLab itself writes to the console, whatever the notebook.
HARMLESS = ("favicon", "ResizeObserver loop", "/lsp/", "Failed to fetch news")


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_and_its_explorers_move(lesson, notebooks_address, page):
    watch = watched(page)
    open_and_run(page, notebooks_address, lesson)
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
