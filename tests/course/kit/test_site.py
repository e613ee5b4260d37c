"""The static site is complete: no page loads anything from another machine, and links lead to existing pages."""

import re
import shutil
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from lesson_files import GLOSSARY, LESSONS, NOTEBOOKS, ROOT, notebook
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dlv3.course import AtrousExplorer, Choice
from dlv3.course.kit import glossary, site
from dlv3.course.kit.explorer import WIDGET_VIEW

LOADING = {"src", "srcset", "poster", "data", "action"}


class Addresses(HTMLParser):
    """Collect what a page loads, its links, and the ids that links can lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in LOADING or (name == "href" and tag in ("link", "use", "image")):
                self.loads.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name == "id":
                self.ids.add(value)


def outside(address: str) -> bool:
    return bool(urlsplit(address).netloc) or (
        bool(urlsplit(address).scheme) and not address.startswith("data:")
    )


def stored(widget) -> nbformat.NotebookNode:
    bundle = widget._repr_mimebundle_()
    data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    data.pop(WIDGET_VIEW)
    return new_output("execute_result", data=data, execution_count=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two small lessons with one of everything."""
    folder = tmp_path_factory.mktemp("notebooks")
    question = Choice("How wide?", ["44", "88"])
    first = new_notebook(cells=[
        new_markdown_cell("# 01 First\n\nSees $k_e$ samples. See [next](02_second.ipynb#part), `a $x$ b`."
                          "\n\n$$\\sum_k w_k$$\n\nBy [*Student*](02_second.ipynb#Student's-t)."),
        new_markdown_cell("<details><summary>Hint</summary>\n\nIt is **here**, with $r^2$.\n\n</details>"),
        new_code_cell("explorer", outputs=[stored(AtrousExplorer(rate=3))], execution_count=1),
        new_code_cell("question", outputs=[stored(question)], execution_count=2),
        new_code_cell("question.compare(88)", execution_count=3, outputs=[new_output(
            "execute_result", execution_count=3, data={"text/html": question.compare(88)._repr_html_()})]),
        new_code_cell("print(1 < 2)", outputs=[new_output("stream", name="stdout", text="<True>")], execution_count=4),
    ])  # fmt: skip
    second = new_notebook(
        cells=[new_markdown_cell("# 02 Second\n\n## part\n\nCosts \\$5 and \\$6.\n\n## Student's t")]
    )
    for name, book in (("01_first", first), ("02_second", second)):
        nbformat.write(book, folder / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="module")
def built(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "site"
    site.build(folder, out)
    return out


def check_complete(out):
    texts = {path.name: path.read_text() for path in out.glob("*.html")}
    found = {name: Addresses(text) for name, text in texts.items()}
    for name, page in found.items():
        assert [address for address in page.loads if outside(address)] == [], name
        assert re.findall(r"@import|url\((?!#|data:)", texts[name]) == [], name
        for load in page.loads:
            assert load.startswith("data:") or (out / load).is_file(), f"{name} loads {load}"
        for link in (link for link in page.links if not outside(link)):
            target, _, part = link.partition("#")
            part = unquote(part)  # as a browser does before it looks for the id
            assert (target or name) in found, f"{name} links to {link}"
            assert not part or part in found[target or name].ids, f"{name} links to {link}"
    for asset in (out / "assets").iterdir():
        text = asset.read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?:|@import|url\((?!#)|\bimport\s*\(", text) == [], asset.name


def test_small_site_is_complete(built):
    check_complete(built)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The whole course, rendered once."""
    out = tmp_path_factory.mktemp("course") / "site"
    assert len(site.build(ROOT / "notebooks", out)) == len(NOTEBOOKS) + 1
    return out


def test_whole_course_is_complete(course):
    check_complete(course)


def test_site_has_the_glossary_with_the_same_addresses(course):
    terms = {
        address for entry in glossary.entries(notebook(GLOSSARY)) for address in (entry.anchor, entry.cell)
    }
    page = (course / "glossary.html").read_text()
    assert set(re.findall(r'id="([^"]+)"', page)) >= terms
    assert "<merror" not in page
    assert "$" not in re.sub(r"<[^>]*>", "", page)
    for path in LESSONS:
        lesson = (course / f"{path.stem}.html").read_text()
        assert 'href="glossary.html">Glossary<' in lesson, "the menu leads to it"
        assert "glossary.ipynb" not in lesson
        assert re.findall(r'href="glossary\.html#([^"]+)"', lesson) == glossary.links(notebook(path))


def test_formulas_are_mathml_and_code_is_left_alone(built):
    page = (built / "01_first.html").read_text()
    assert page.count("<math") == 3
    assert "<msup>" in page  # the one inside the folded hint
    assert "<code>a $x$ b</code>" in page
    assert "dlv3formula" not in page
    assert "Costs $5 and $6." in (built / "02_second.html").read_text()


def test_explorer_waits_to_be_mounted_with_its_state_and_still(built):
    page = (built / "01_first.html").read_text()
    assert re.search(r'data-explorer-mount="atrous" data-state="[^"]*&quot;rate&quot;: 3', page)
    assert "<svg" in page
    assert "window.dlv3Explorers.atrous" in (built / "assets" / "explorers.js").read_text()


def test_answer_is_folded_and_output_is_escaped(built):
    page = (built / "01_first.html").read_text()
    assert re.search(r"<details><summary>I have made my prediction.*?The answer: 88", page)
    assert "You made no prediction" not in page
    assert "&lt;True&gt;" in page


def test_hint_stays_inside_its_fold(built):
    page = (built / "01_first.html").read_text()
    assert re.search(
        r"<summary>Hint</summary>(?:(?!</details>).)*<strong>here</strong>.*?</details>", page, re.S
    )


def test_links_between_notebooks_become_links_between_pages(built):
    assert 'href="02_second.html#part"' in (built / "01_first.html").read_text()


def test_link_to_a_heading_with_an_apostrophe_leads_to_it(built):
    first, second = (Addresses((built / f"{name}.html").read_text()) for name in ("01_first", "02_second"))
    (link,) = (link for link in first.links if "Student" in link)
    assert unquote(link) == "02_second.html#Student's-t"
    assert "Student's-t" in second.ids


def test_glossary_is_in_the_menu_and_is_not_turned_to(folder, tmp_path):
    copied = tmp_path / "notebooks"
    shutil.copytree(folder, copied)
    words = new_notebook(cells=[new_markdown_cell("# Glossary\n\nThe [**words**](01_first.ipynb) of it.")])
    nbformat.write(words, copied / "glossary.ipynb")
    site.build(copied, tmp_path / "site")
    second = (tmp_path / "site" / "02_second.html").read_text()
    assert '<li><a href="glossary.html">Glossary</a></li>' in second
    turns = {
        path.stem: path.read_text().rpartition('class="turn"')[2] for path in tmp_path.glob("site/*.html")
    }
    assert "01_first.html" in turns["02_second"]
    assert "glossary.html" not in turns["02_second"]
    assert "href" not in turns["glossary"].partition("</nav>")[0]
    assert "<p>The words of it.</p>" in (tmp_path / "site" / "index.html").read_text()


def test_index_lists_the_lessons_with_their_first_sentence(built):
    index = (built / "index.html").read_text()
    assert index.index("01 First") < index.index("02 Second")
    assert "Sees k_e samples." in index


def test_foreign_folder_is_not_replaced(folder, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="something else"):
        site.build(folder, tmp_path)
    assert (tmp_path / "thesis.txt").exists()
    with pytest.raises(ValueError, match=r"no \.ipynb"):
        site.build(tmp_path, tmp_path / "site")
