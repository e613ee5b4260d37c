"""The course's glossary, `notebooks/glossary.ipynb`: one markdown cell per term, in alphabetical order.

    python -m dlv3.course.kit.glossary    # order the terms, list them at the top, correct the lessons' links

A term's cell holds its heading, two or three plain sentences, a formula if it has one, and a last line that says where
the paper and the course explain it:

    ## Output stride

    Input pixels for one step on the last feature map. ...

    *Paper*: section 3.1. *Lesson*: [03 Output stride](03_output_stride.ipynb). *See also*: [Jump](#Jump).

A lesson's author writes `[**output stride**](glossary.ipynb#Output-stride)`, JupyterLab's address of the heading.
JupyterLab 4.6 follows it only if the glossary is open already; if not, it opens the glossary and stays at its top.
So the command above turns it into the address of the cell, `glossary.ipynb#cell-id=output-stride`, which JupyterLab
always follows. The web book turns it back.
"""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from dlv3.course.kit.notebooks import tidied
from dlv3.files import write_atomically

NAME = "glossary.ipynb"
_HEADING = re.compile(r"^##[ \t]+(.+?)[ \t]*$", re.M)
_LINK = re.compile(r"\]\(glossary\.ipynb#([^)\s]*)\)")
_LAST_LINE = re.compile(
    r"^\*Paper\*: (?P<paper>.+?)\. \*Lessons?\*: (?P<lessons>.+?)\. \*See also\*: (?P<related>.+)\.$"
)
_NEW_WORDS = re.compile(r"^(?:#+[ \t]*|\*\*)New words\b.*?$(?P<list>.*?)(?=^(?:#|\*\*)|\Z)", re.M | re.S)
_BULLET = re.compile(r"^[-*][ \t]+(?P<words>.*?)(?::|$)", re.M)
_BOLD = re.compile(r"\*\*(.+?)\*\*")


@dataclass(frozen=True)
class Entry:
    """A term of the glossary.

    Args:
        term: its heading.
        text: everything between the heading and the last line.
        paper: the section of the paper that has it, or a note that none has.
        lessons: the file names of the lessons that explain it.
        related: the anchors of related terms.
    """

    term: str
    text: str
    paper: str
    lessons: tuple[str, ...]
    related: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Address of its heading, the part after #."""
        return anchor(self.term)

    @property
    def cell(self) -> str:
        """Address of its cell, the part after #."""
        return cell_address(self.term)


def anchor(heading: str) -> str:
    """Return the address of a heading, the part after #."""
    return heading.replace(" ", "-")


def cell_address(term: str) -> str:
    """Return the address of a term's cell, the part after #."""
    return f"cell-id={_cell_id(term)}"


def _cell_id(term: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", term.lower()).strip("-")


def is_term(cell: NotebookNode) -> bool:
    """Tell whether a cell of the glossary holds a term."""
    return bool(cell.cell_type == "markdown" and cell.source.startswith("## "))


def entry(source: str) -> Entry:
    """Read a term's cell.

    Raises:
        ValueError: it does not have exactly one heading, it has no text, or its last line has another form.
    """
    headings = _HEADING.findall(source)
    if len(headings) != 1:
        raise ValueError(
            f"{source[:40]!r}…: {len(headings)} headings '## Term' in a cell; give each term its own"
        )
    body, _, last = source.strip().partition("\n")[2].strip().rpartition("\n")
    found = _LAST_LINE.match(last)
    if not found or not body.strip():
        raise ValueError(
            f"{headings[0]!r}: its text must end in a line of the form '*Paper*: section 3.1. "
            f"*Lesson*: [03 Title](03_title.ipynb). *See also*: [Term](#Term).'; the last line is {last!r}"
        )
    lessons = tuple(re.findall(r"\]\((\d\d_\w+\.ipynb)\)", found["lessons"]))
    related = tuple(re.findall(r"\]\(#([^)]+)\)", found["related"]))
    if not lessons or not related:
        raise ValueError(
            f"{headings[0]!r}: name a lesson and a related term as links; the last line is {last!r}"
        )
    return Entry(headings[0], body.strip(), found["paper"], lessons, related)


def entries(glossary: NotebookNode) -> list[Entry]:
    """Return the terms of the glossary, in its order."""
    return [entry(cell.source) for cell in glossary.cells if is_term(cell)]


def links(notebook: NotebookNode) -> list[str]:
    """Return the part after # of a lesson's links to the glossary, in order."""
    return [
        target
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for target in _LINK.findall(cell.source)
    ]


def new_words(notebook: NotebookNode) -> list[str]:
    """Return the terms in bold at the head of the items in a lesson's list of new words."""
    listed = [
        found["list"]
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for found in _NEW_WORDS.finditer(cell.source)
    ]
    return [
        term for items in listed for item in _BULLET.finditer(items) for term in _BOLD.findall(item["words"])
    ]


def in_order(glossary: NotebookNode) -> NotebookNode:
    """Sort the terms of a glossary in place, and list them after its first cell."""
    terms = sorted((cell for cell in glossary.cells if is_term(cell)), key=lambda cell: order(_term(cell)))
    for cell in terms:
        cell["id"] = _cell_id(_term(cell))
    items = " · ".join(f"[{_term(cell)}](#{anchor(_term(cell))})" for cell in terms)
    glossary.cells = [glossary.cells[0], new_markdown_cell(items, id="terms"), *terms]
    return tidied(glossary)


def with_cell_addresses(lesson: str, terms: list[str]) -> str:
    """Return a lesson's text with its links to headings of the glossary turned into links to their cells."""
    addresses = {anchor(term): cell_address(term) for term in terms}
    return _LINK.sub(
        lambda link: link[0].replace(f"#{link[1]}", f"#{addresses.get(link[1], link[1])}"), lesson
    )


def order(term: str) -> str:
    """Return the key that terms are sorted by: the alphabet, whatever the case."""
    return term.casefold()


def _term(cell: NotebookNode) -> str:
    return str(_HEADING.findall(cell.source)[0])


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Order the glossary's terms, list them at its top, and correct the links of the lessons beside it."
    )
    parser.add_argument("glossary", nargs="?", type=Path, default=Path("notebooks") / NAME)
    path = parser.parse_args().glossary
    glossary = in_order(nbformat.read(path, as_version=4))
    write_atomically(path, (nbformat.writes(glossary) + "\n").encode())
    terms = [entry.term for entry in entries(glossary)]
    print(f"{len(terms)} terms in order")
    for lesson in sorted(path.parent.glob("[0-9][0-9]_*.ipynb")):
        text = lesson.read_text(encoding="utf-8")
        corrected = with_cell_addresses(text, terms)
        if corrected != text:
            write_atomically(lesson, corrected.encode())
            print(f"corrected links in {lesson}")


if __name__ == "__main__":
    main()
