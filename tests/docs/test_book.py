"""The built book: no page loads anything from another machine, and links lead to pages and places that exist."""

import re
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from lesson_files import GLOSSARY, LESSONS, NOTEBOOKS, ROOT, notebook

from dlv3.course.kit import glossary
from docs.__main__ import build

LOADING = {"src", "srcset", "poster", "data", "action"}


class Addresses(HTMLParser):
    """Collect what a page loads, its links, and the ids that links can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.relations: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        for name, value in attributes:
            if name in LOADING:
                self.loads.append(value or "")
            elif name == "href" and tag in ("link", "use", "image"):
                if given.get("rel") != "canonical":
                    self.loads.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name == "id":
                self.ids.add(value)


def outside(address: str) -> bool:
    scheme = urlsplit(address).scheme
    return bool(urlsplit(address).netloc) or (bool(scheme) and scheme != "data")


@cache
def read(path: Path) -> Addresses:
    return Addresses(path.read_text(encoding="utf-8"))


def pages(book: Path) -> list[Path]:
    return sorted(path for path in book.rglob("*.html") if "_static" not in path.parts)


def test_every_lesson_and_project_page_is_there(book):
    names = {path.relative_to(book).as_posix() for path in pages(book)}
    assert {f"notebooks/{path.stem}.html" for path in NOTEBOOKS} <= names
    assert {
        "index.html", "search.html", "404.html", "genindex.html", "reference/model.html",
        "reference/command-train.html",
        "data/results/README.html", "data/benchmarks/README.html", "CONTRIBUTING.html", "CHANGELOG.html",
    } <= names  # fmt: skip


def test_no_page_loads_from_another_machine(book):
    for path in pages(book):
        assert [address for address in read(path).loads if outside(address)] == [], path
        for address in read(path).loads:
            file = unquote(address.partition("?")[0].partition("#")[0])
            assert not file or file.startswith("data:") or (path.parent / file).exists(), (
                f"{path} loads {address}"
            )
    for path in [*book.rglob("*.css"), *book.rglob("*.js")]:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"""(?:@import|\bimport\s*\(|fetch\(|url\()\s*["']?https?:""", text) == [], path


def test_links_lead_to_pages_and_places_that_exist(book):
    for path in pages(book):
        for link in (link for link in read(path).links if not outside(link)):
            file, _, place = link.partition("#")
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            assert target.is_file(), f"{path.name} links to {link}"
            if place and target.suffix == ".html":
                assert unquote(place) in read(target).ids | {""}, f"{path.name} links to {link}"


def test_glossary_has_every_term_and_lessons_lead_to_them(book):
    page = read(book / "notebooks" / "glossary.html")
    terms = [entry.term for entry in glossary.entries(notebook(GLOSSARY))]
    assert len(terms) > 50
    for path in LESSONS:
        links = read(book / "notebooks" / f"{path.stem}.html").links
        led = [link.partition("#")[2] for link in links if link.startswith("glossary.html#")]
        assert len(led) == len(glossary.links(notebook(path))), path.stem
        assert set(map(unquote, led)) <= page.ids


@pytest.mark.parametrize("number", ["00", "03", "06", "12"])
def test_lesson_leads_to_the_live_model(number, book):
    page = next((book / "notebooks").glob(f"{number}_*.html"))
    assert "../live.html" in read(page).links


def test_formulas_are_mathml_and_none_is_left_as_latex(book):
    text = (book / "notebooks" / "02_receptive_fields.html").read_text(encoding="utf-8")
    assert "<math" in text
    for path in NOTEBOOKS:
        page = (book / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert "<merror" not in page
        words = re.sub(r"<(pre|code|script|style)\b.*?</\1>|<[^>]*>", "", page, flags=re.S)
        assert "$$" not in words, path.stem


def test_long_signatures_have_a_parameter_a_line_and_are_not_broken_lists(book):
    text = (book / "reference" / "model.html").read_text(encoding="utf-8")
    assert re.search(
        r'<span class="dlv3-parameters"><span><em class="sig-param">.*>rates<.*</em>,</span>\n', text
    )
    for path in (book / "reference").glob("*.html"):
        assert not re.search(r"<dl>\s*<dd>", path.read_text(encoding="utf-8")), path


def test_numbers_of_tables_stay_on_their_line_and_sentences_have_room(book):
    text = (book / "data" / "results" / "README.html").read_text(encoding="utf-8")
    cells = dict.fromkeys(re.findall(r'<td(?: class="([\w-]+)")?><p>([^<]+)</p>', text))
    assert {kind for kind, words in cells if re.fullmatch(r"\+[\d.]+ \[\+[\d.]+, \+[\d.]+\]", words)} == {
        "dlv3-value"
    }
    assert ("dlv3-words", "image-level features help") in cells
    assert ("", "reproduced") in cells


def test_download_is_the_lesson_without_outputs(book):
    for path in LESSONS:
        lesson = nbformat.read(book / "_sources" / "notebooks" / path.name, as_version=4)
        assert [cell.id for cell in lesson.cells] == [cell.id for cell in notebook(path).cells]
        assert not any(cell.get("outputs") for cell in lesson.cells)


def test_front_page_maps_the_lessons_and_shows_what_was_found(book):
    text = (book / "index.html").read_text(encoding="utf-8")
    for path in LESSONS:
        assert text.count(f'href="notebooks/{path.stem}.html"') >= 2, "in the menu and in the map"
    shown = unescape(re.sub(r"<[^>]*>", "", text)).replace("’", "'")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in ("findings", "speed"):
        table = readme.partition(f"<!-- {block}:")[2].partition("<!-- end of")[0]
        cells = [
            cell.strip(" *")
            for line in table.splitlines()
            if line.startswith("| ")
            for cell in line.split("|")
        ]
        for cell in (cell for cell in cells if len(cell) > 8 and not set("`[-") & set(cell)):
            assert cell in shown, "each cell of README's table"
    for words in ("pip install", "make lab", "conda", "@article"):
        assert words in shown, words


def test_foreign_folder_is_not_written_into(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="something else"):
        build(tmp_path, tmp_path / "work", ROOT / "notebooks")
    with pytest.raises(ValueError, match=r"no \.ipynb"):
        build(tmp_path / "site", tmp_path / "work", tmp_path)
