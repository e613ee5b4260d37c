"""A link from a lesson opens the glossary at its term, in JupyterLab and in the web book."""

import shutil

import pytest
from labserver import ROOT, lab, watched

LESSON = "03_output_stride.ipynb"
# Far down, half-way, near the top: the first click also opens the glossary, the others find it open.
TERMS = {"upsampling": "Upsampling", "output-stride": "Output stride", "base-rate": "Base rate"}

_IN_VIEW = (
    "(term) => { const page = window.jupyterapp?.shell.currentWidget.node ?? document;"
    " const heading = [...page.querySelectorAll('h2')].find((h) => h.textContent.replace(/[¶#]$/, '') === term);"
    " const box = heading?.getBoundingClientRect(); return box && box.top >= 0 && box.bottom <= innerHeight }"
)


def show(page, name: str) -> None:
    page.evaluate(
        "(name) => { const { shell } = window.jupyterapp; const all = [...shell.widgets('main')];"
        " shell.activateById(all.find((w) => w.context?.path.endsWith(name)).id) }",
        name,
    )


def click(page, target: str) -> None:
    """Click the first link that is not folded away, as a hand would: it is scrolled to."""
    page.locator(f"a[href*='glossary'][href$='#{target}']:visible").first.click()


@pytest.fixture
def address(browser, tmp_path):
    """A JupyterLab as it comes: how it draws what is off the screen decides where a link leads."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in (LESSON, "glossary.ipynb"):
        shutil.copy(ROOT / "notebooks" / name, folder)
    with lab(folder, every_cell=False) as address:
        yield address


def test_link_opens_the_glossary_at_its_term_in_jupyterlab(address, page):
    watch = watched(page)
    page.goto(f"{address}/lab/tree/{LESSON}?reset", wait_until="domcontentloaded")
    for cell, term in TERMS.items():
        page.wait_for_selector(f"a[href$='#cell-id={cell}']", state="attached", timeout=60_000)
        click(page, f"cell-id={cell}")
        page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.context?.path.endsWith('glossary.ipynb')"
        )
        page.wait_for_function(_IN_VIEW, arg=term, timeout=60_000)
        show(page, LESSON)
    assert watch.outside == []


def test_link_opens_the_glossary_at_its_term_in_the_book(browser, book):
    page = browser.new_page()
    for heading, term in TERMS.items():
        page.goto((book / "notebooks" / LESSON).with_suffix(".html").as_uri())
        click(page, heading)
        page.wait_for_url(f"**/glossary.html#{heading}")
        assert page.evaluate(_IN_VIEW, term)
    page.close()
