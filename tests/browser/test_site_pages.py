"""The site's pages, opened from a folder with no server and no kernel: the explorers move, nothing is loaded."""

import pytest
from labserver import ROOT, watched
from moving import move_every_slider

from dlv3.course.kit import site

PAGES = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "site"
    site.build(ROOT / "notebooks", out)
    return out


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("stem", PAGES)
def test_page_lives_without_kernel_and_network(stem, scheme, built, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    watch = watched(page)
    page.goto((built / f"{stem}.html").as_uri())
    mounts = page.query_selector_all("[data-explorer-mount]")
    explorers = page.query_selector_all(".dx")
    assert len(explorers) == len(mounts)
    for explorer in explorers:
        assert move_every_slider(page, explorer) > 0
    ink, paper = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor] }"
    )
    bright = [sum(int(x) for x in colour[4:-1].split(",")) for colour in (ink, paper)]
    assert (bright[0] < bright[1]) == (scheme == "light")
    too_wide = page.evaluate(
        "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    assert not too_wide, "the page scrolls sideways"
    assert watch.errors == []
    assert watch.outside == []
    context.close()
