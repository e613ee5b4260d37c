"""What the book has once its addresses are set: a sitemap, a card for other sites, buttons for Binder and Colab."""

import re
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from PIL import Image

from docs.__main__ import write_pages
from docs.front import badges
from docs.moving import preview
from docs.settings import Settings

pytestmark = pytest.mark.slow
REPOSITORY = "https://github.com/someone/dlv3"
ADDRESS = "https://someone.example/dlv3/"


def small_book(folder: Path, settings: Settings) -> Path:
    """A book of a front page, a lesson, and the page for addresses that do not exist."""
    source = folder / "source"
    (source / "notebooks").mkdir(parents=True)
    toc = "```{toctree}\n:hidden:\n\nnotebooks/01_first\n```"
    (source / "index.md").write_text(f"# Front\n\nA course. {badges(settings)}\n\n{toc}\n")
    (source / "404.md").write_text("---\norphan: true\n---\n\n# Not here\n\n[Front](index.md)\n")
    lesson = new_notebook(cells=[new_markdown_cell("# 01 First\n\nIts first words.")])
    nbformat.write(lesson, source / "notebooks" / "01_first.ipynb")
    (folder / "extra").mkdir()
    assert write_pages(source, folder / "extra", folder / "out", folder / "doctrees", settings) == 0
    assert {path.name for path in folder.iterdir()} == {"source", "extra", "out", "doctrees"}, (
        "nothing beside it"
    )
    return folder / "out"


def metadata(page: Path) -> dict[str, str]:
    """What a page tells other sites about itself."""
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)"', text))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("published"), Settings(REPOSITORY, address=ADDRESS))


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory):
    return small_book(tmp_path_factory.mktemp("unpublished"), Settings())


def test_sitemap_has_every_page_but_the_one_for_wrong_addresses(published, unpublished):
    places = [
        each.text for each in ElementTree.parse(published / "sitemap.xml").iter() if each.tag.endswith("loc")
    ]
    assert places == [f"{ADDRESS}{name}.html" for name in ("index", "notebooks/01_first")]
    assert not (unpublished / "sitemap.xml").exists()


def test_other_sites_get_a_title_a_description_and_a_picture(published, unpublished):
    card = metadata(published / "notebooks" / "01_first.html")
    assert card["og:url"] == f"{ADDRESS}notebooks/01_first.html"
    assert card["og:title"] == "01 First"
    assert "Its first words." in card["og:description"]
    assert card["og:image"] == f"{ADDRESS}_static/preview.png"
    assert card["og:image:alt"]
    assert "og:image" not in metadata(unpublished / "notebooks" / "01_first.html")


def test_canonical_address_and_the_base_of_the_page_for_wrong_addresses(published, unpublished):
    front = (published / "index.html").read_text()
    assert f'<link rel="canonical" href="{ADDRESS}index.html"' in front
    assert f'<base href="{ADDRESS}">' in (published / "404.html").read_text()
    assert "<base" not in front + (unpublished / "404.html").read_text()


def test_badges_and_the_link_to_the_source_come_with_the_repository_alone(published, unpublished):
    for page in ("index.html", "notebooks/01_first.html"):
        text = (published / page).read_text()
        assert REPOSITORY in text
        assert "mybinder.org" in text
        assert "colab.research.google.com" in text
        without = (unpublished / page).read_text()
        assert not re.search(r"github\.com|mybinder|colab\.research", without)


def test_picture_for_other_sites_has_the_size_that_they_ask_for(tmp_path):
    preview(tmp_path / "preview.png")
    with Image.open(tmp_path / "preview.png") as picture:
        assert picture.size == (1200, 630)
    assert (tmp_path / "preview.png").stat().st_size < 300_000
