"""From a lesson's notebook to the notebook that Sphinx makes a page of.

The notebooks stay as JupyterLab has them. Here their stored outputs become what a page without a kernel can use:
explorers wait for their script, questions become forms, answers fold until the question was answered, exercises fold
with a line on how to run them, and pictures become files.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import nbformat
from myst_parser.mdit_to_docutils.base import default_slugify
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from dlv3.course.kit.glossary import NAME as GLOSSARY
from dlv3.course.kit.glossary import anchor, cell_address, entries
from docs.figures import Figures
from docs.frames import frames_of, placed
from docs.picture_explorers import explorer, explorer_words, still
from docs.predictions import Answer, Question, answer, form, output_html, question, without_card
from docs.scores import exam

_PYTHON = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
_PLACE_LINK = re.compile(r"\]\((\w*(?:\.ipynb)?)#([^)\s]+)\)")
_CHECK_TITLE = re.compile(r"Not done yet: (.+)")


@dataclass
class Page:
    """A lesson on its way to a page.

    Args:
        path: its notebook.
        figures: writes the pictures.
        where: the line that says how to run an exercise, as HTML.
        addresses: the glossary's cells, and the headings that stand for them in the book.
    """

    path: Path
    figures: Figures
    where: str
    addresses: dict[str, str]
    cells: list[NotebookNode] = field(default_factory=list)
    explorers: set[str] = field(default_factory=set)

    @property
    def stem(self) -> str:
        """The notebook's file name without its ending."""
        return self.path.stem

    def put(self, cell: NotebookNode) -> None:
        """Add a cell."""
        self.cells.append(cell)

    def write(self, markup: str) -> None:
        """Add HTML as it is; Markdown would end it at an empty line."""
        self.cells.append(new_markdown_cell(re.sub(r"\n\s*\n", "\n", markup), id=f"made-{len(self.cells)}"))


def glossary_addresses(notebooks: Path) -> dict[str, str]:
    """Return the part after # of the glossary's cells, and of the headings in them."""
    path = notebooks / GLOSSARY
    if not path.exists():
        return {}
    terms = [entry.term for entry in entries(nbformat.read(path, as_version=4))]
    return {cell_address(term): anchor(term) for term in terms}


def page_of(path: Path, figures: Figures, where: str, addresses: dict[str, str]) -> NotebookNode:
    """Return the notebook that Sphinx reads; no cell is run.

    Raises:
        ValueError: a question without an answer, an answer without a question, or an exercise without a check.
    """
    lesson = nbformat.read(path, as_version=4)
    page = Page(path, figures, where, addresses)
    asked = _paired(lesson)
    gates = _gates(lesson)
    cells = iter(enumerate(lesson.cells))
    for place, cell in cells:
        if cell.cell_type == "markdown":
            page.put(_linked(cell, addresses))
            continue
        if place in gates.first:
            keys = " ".join(f"{page.stem}-{name}" for name in gates.first[place])
            page.write(f'<details class="dlv3-gate" data-asks="{keys}"><summary>What came out</summary>')
        if cell.id in asked:
            page.write(form(*asked[cell.id], f"{page.stem}-{asked[cell.id][0].name}"))
        elif _tagged(cell, "exercise:"):
            _put_exercise(page, cell, cells)
        elif cell.source.strip():
            _put_code(page, cell)
        if place in gates.last:
            page.write("</details>")
            page.write("<script>dlv3.gate(document.currentScript.previousElementSibling)</script>")
    made: NotebookNode = new_notebook(cells=page.cells, metadata=_PYTHON)
    return made


def _linked(cell: NotebookNode, addresses: dict[str, str]) -> NotebookNode:
    """Turn JupyterLab's addresses of cells and headings into the book's, which are GitHub's."""

    def heading(link: re.Match[str]) -> str:
        return f"]({link[1]}#{default_slugify(addresses.get(link[2], link[2]))})"

    linked: NotebookNode = new_markdown_cell(_PLACE_LINK.sub(heading, cell.source), id=cell.id)
    return linked


def _tagged(cell: NotebookNode, start: str) -> bool:
    return any(tag.startswith(start) for tag in cell.metadata.get("tags", []))


def _paired(lesson: NotebookNode) -> dict[str, tuple[Question, Answer]]:
    """Return questions with their answers, by the id of the question's cell."""
    open_questions: dict[str, tuple[str, Question]] = {}
    pairs: dict[str, tuple[Question, Answer]] = {}
    for cell in lesson.cells:
        if cell.cell_type != "code":
            continue
        if found := question(cell):
            open_questions[found.name] = (cell.id, found)
        if given := answer(cell):
            if given.name not in open_questions:
                raise ValueError(f"cell {cell.id!r} answers {given.name!r}, which no cell above asks")
            place, asked = open_questions.pop(given.name)
            pairs[place] = (asked, given)
    if open_questions:
        raise ValueError(f"questions without an answer: {', '.join(open_questions)}")
    return pairs


@dataclass(frozen=True)
class _Gates:
    """Runs of cells that stay folded until their questions are answered: the first and the last cell of each."""

    first: dict[int, list[str]]
    last: set[int]


def _gates(lesson: NotebookNode) -> _Gates:
    """Find the runs: code cells one behind the other, of which one or more give an answer.

    What stands between the question and its answer without a word in between belongs to the answer: the numbers and
    the figure that it is read from.
    """
    first: dict[int, list[str]] = {}
    last: set[int] = set()
    start = None
    for place, cell in enumerate(lesson.cells):
        if cell.cell_type != "code" or _shows_more(cell):
            start = None
            continue
        start = place if start is None else start
        if given := answer(cell):
            first.setdefault(start, []).append(given.name)
            last -= set(range(start, place))
            last.add(place)
    return _Gates(first, last)


def _shows_more(cell: NotebookNode) -> bool:
    """Tell whether a cell asks, checks or lets explore: such cells stay in sight."""
    shown = output_html(cell)
    live = any("image/svg+xml" in output.get("data", {}) for output in cell.outputs)
    card = "dlv3-card" in shown and answer(cell) is None
    return (
        live
        or card
        or "dlv3-question" in shown
        or _tagged(cell, "exercise:")
        or explorer_words(cell) is not None
    )


def _put_exercise(page: Page, stub: NotebookNode, cells: Iterator[tuple[int, NotebookNode]]) -> None:
    """Fold the stub and its check, which follows at once, under the exercise's name."""
    _, check = next(cells)
    words = output_html(check)
    title = _CHECK_TITLE.search(re.sub(r"<[^>]+>", "\n", words))
    if title is None:
        raise ValueError(f"{page.stem}: exercise {stub.id!r} has no check in the cell below it")
    page.write(
        '<details class="dlv3-exercise" open><summary>'
        f"<span>Your code goes here: {title[1].strip()}</span></summary>"
    )
    page.put(_code(stub.source, stub.id))
    page.put(_code(check.source, check.id))
    page.write("</details>")
    page.write(f'<p class="dlv3-run">{page.where}</p>')


def _put_code(page: Page, cell: NotebookNode) -> None:
    """Add a cell and what it showed, each output in the richest form that a page without a kernel can show."""
    if "dlv3-exam" in output_html(cell):
        page.write(exam(page.stem))
        return
    if re.fullmatch(r"\w+\.result\(\)", cell.source.strip()):
        # The page scores the exam itself.
        return
    if not _only_compares(cell):
        plain = [
            output
            for output in cell.outputs
            if output.output_type == "stream" or _form(output) == "text/plain"
        ]
        page.put(
            _code(
                cell.source,
                cell.id,
                plain,
                folded=cell.metadata.get("jupyter", {}).get("source_hidden", False),
            )
        )
    for number, output in enumerate(cell.outputs):
        name = f"{page.stem}-{cell.id}-{number}"
        kind = _form(output)
        if kind == "image/svg+xml":
            page.write(_explorer(page, output.data[kind]))
        elif kind == "image/png":
            page.write(_image(page, cell, output, name))
        elif kind == "text/html":
            page.write(_html(page, cell, "".join(output.data[kind])))
        elif kind == "text/markdown":
            page.put(new_markdown_cell("".join(output.data[kind]), id=f"made-{len(page.cells)}"))


def _only_compares(cell: NotebookNode) -> bool:
    """Tell whether a cell does nothing but compare: the page says it all in the verdict."""
    return answer(cell) is not None and re.match(r"\w+\.compare\(", cell.source.strip()) is not None


def _code(
    source: str, name: str, outputs: list[NotebookNode] | None = None, *, folded: bool = False
) -> NotebookNode:
    """Make a cell; the source of a folded one, which JupyterLab hides too, waits behind a line to unfold."""
    metadata = {"tags": ["hide-input"]} if folded else {}
    cell: NotebookNode = new_code_cell(source, id=name, outputs=outputs or [], metadata=metadata)
    return cell


def _form(output: NotebookNode) -> str:
    data = output.get("data", {})
    kinds = ("image/svg+xml", "image/png", "text/html", "text/markdown", "text/plain")
    return next((kind for kind in kinds if kind in data), "")


def _explorer(page: Page, picture: str) -> str:
    """Write the place of a browser-drawn explorer; without scripts its still picture is shown."""
    root = ElementTree.fromstring(picture)
    name = root.get("data-explorer")
    if name is None:
        return picture
    page.explorers.add(name)
    state = html.escape(json.dumps(json.loads(root.attrib["data-state"])), quote=True)
    return (
        f'<div class="dlv3-explorer" data-explorer-mount="{name}" data-state="{state}"></div>'
        f"<noscript>{picture}</noscript>"
        f'<script src="../_static/explorers/{name}.js"></script>'
    )


def _image(page: Page, cell: NotebookNode, output: NotebookNode, name: str) -> str:
    words = "".join(output.data.get("text/plain", ""))
    shown = output.metadata.get("image/png", {})
    said = explorer_words(cell)
    if said is None:
        alt = shown.get("alt") or words.removeprefix("Figure: ")
        return page.figures.image(output.data["image/png"], name, alt, shown.get("width"))
    frames = frames_of(page.path)
    if frames is None:
        return still(said, page.figures.image(output.data["image/png"], name, said.partition("\n")[2]))
    return explorer(frames.title, frames.controls, placed(frames, f"../frames/{page.stem}"), frames.size)


def _html(page: Page, cell: NotebookNode, shown: str) -> str:
    given = answer(cell)
    if given is None:
        return shown
    key = f"{page.stem}-{given.name}"
    rest = without_card(shown).strip()
    return f'{rest}<div class="dlv3-verdict" data-ask="{key}" role="status">The answer: {given.text}</div>'
