"""The glossary and the lessons agree: every link leads to a term, and every new word has an entry."""

import re

import nbformat
import pytest
from lesson_files import GLOSSARY, LESSONS, ROOT, notebook
from nbformat.v4 import new_markdown_cell, new_notebook

from dlv3.course.kit import glossary

ENTRIES = glossary.entries(notebook(GLOSSARY))
ANCHORS = {entry.anchor for entry in ENTRIES}
TERM_OF = {entry.anchor: entry.term for entry in ENTRIES} | {entry.cell: entry.term for entry in ENTRIES}
EACH_LESSON = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
EACH_ENTRY = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.anchor)


def before_new_words(path) -> nbformat.NotebookNode:
    """The lesson up to the cell with its list of new words."""
    cells = notebook(path).cells
    last = next(i for i, cell in enumerate(cells) if glossary.new_words(new_notebook(cells=[cell])))
    text = re.split(r"^\W*New words\b", cells[last].source, flags=re.M)[0]
    return new_notebook(cells=[*cells[:last], new_markdown_cell(text)])


def test_terms_are_unique_and_in_the_order_of_the_alphabet():
    terms = [entry.term for entry in ENTRIES]
    assert terms == sorted(terms, key=glossary.order), "run python -m dlv3.course.kit.glossary"
    assert len({term.casefold() for term in terms}) == len(terms)


def test_list_at_the_top_has_every_term():
    listed = re.findall(r"\[([^\]]+)\]\(#([^)]+)\)", notebook(GLOSSARY).cells[1].source)
    assert listed == [(entry.term, entry.anchor) for entry in ENTRIES], (
        "run python -m dlv3.course.kit.glossary"
    )


def test_glossary_is_prose_and_stored_as_lessons_are():
    book = notebook(GLOSSARY)
    assert {cell.cell_type for cell in book.cells} == {"markdown"}
    assert all(glossary.is_term(cell) for cell in book.cells[2:])
    # A lesson keeps its run time too.
    assert book.metadata == {
        key: kept for key, kept in notebook(LESSONS[0]).metadata.items() if key != "dlv3"
    }
    assert book.cells[0].source.startswith("# Glossary")


@EACH_LESSON
def test_every_link_to_the_glossary_leads_to_a_term(path):
    assert set(glossary.links(notebook(path))) <= set(TERM_OF)


@EACH_LESSON
def test_links_work_if_the_glossary_is_not_open_yet(path):
    cells = {entry.cell for entry in ENTRIES}
    assert set(glossary.links(notebook(path))) <= cells, "run python -m dlv3.course.kit.glossary"


@EACH_LESSON
def test_every_new_word_has_an_entry_and_is_linked_where_the_lesson_introduces_it(path):
    words = {word.casefold() for word in glossary.new_words(notebook(path))}
    assert words, "the recap lists no new words as '- **Term**: ...'"
    assert words - {entry.term.casefold() for entry in ENTRIES} == set(), "not in the glossary"
    linked = {TERM_OF[link].casefold() for link in glossary.links(before_new_words(path)) if link in TERM_OF}
    assert words - linked == set(), "not linked before the list of new words"


@EACH_ENTRY
def test_entry_names_lessons_that_link_to_it(entry):
    for name in entry.lessons:
        path = ROOT / "notebooks" / name
        assert path in LESSONS, f"{entry.term!r} names {name}, which is not a lesson"
        linked = [TERM_OF.get(link) for link in glossary.links(notebook(path))]
        assert entry.term in linked, f"{name} has no link to {entry.term!r}"


@EACH_ENTRY
def test_entry_names_lessons_whose_text_uses_the_word(entry):
    for name in entry.lessons:
        cells = notebook(ROOT / "notebooks" / name).cells
        texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
        text = re.sub(r"\]\([^)]*\)|[\[\]*]", "", "\n".join(texts))
        assert entry.term.casefold() in " ".join(text.casefold().split()), (
            f"{name} does not use {entry.term!r}"
        )


@EACH_ENTRY
def test_related_terms_are_other_terms(entry):
    assert set(entry.related) <= ANCHORS - {entry.anchor}
    assert len(set(entry.related)) == len(entry.related)


@EACH_ENTRY
def test_entry_names_a_lesson_by_its_title(entry):
    cell = next(cell for cell in notebook(GLOSSARY).cells if cell.source.startswith(f"## {entry.term}\n"))
    for title, name in re.findall(r"\[([^\]]+)\]\((\d\d_\w+\.ipynb)\)", cell.source):
        assert notebook(ROOT / "notebooks" / name).cells[0].source.startswith(f"# {title}\n")


@EACH_ENTRY
def test_entry_is_short(entry):
    prose = re.sub(r"\$\$.*?\$\$", "", entry.text, flags=re.S)
    assert 10 <= len(prose.split()) <= 90


def small(*terms: str) -> nbformat.NotebookNode:
    last = "*Paper*: section 3.1. *Lesson*: [01 A](01_a.ipynb). *See also*: [Tap](#Tap)."
    cells = [new_markdown_cell(f"## {term}\n\nIt is a word.\n\n{last}") for term in terms]
    return new_notebook(cells=[new_markdown_cell("# Glossary"), *cells])


def test_putting_in_order_sorts_lists_and_can_be_repeated():
    once = glossary.in_order(small("mIOU", "Tap", "base rate", "IOU"))
    assert [entry.term for entry in glossary.entries(once)] == ["base rate", "IOU", "mIOU", "Tap"]
    assert once.cells[1].source == "[base rate](#base-rate) · [IOU](#IOU) · [mIOU](#mIOU) · [Tap](#Tap)"
    assert [cell.id for cell in once.cells[1:]] == ["terms", "base-rate", "iou", "miou", "tap"]
    again = nbformat.from_dict(once)
    assert glossary.in_order(again).cells == once.cells


def test_links_to_headings_become_links_to_cells_and_nothing_else_changes():
    text = "[rate](glossary.ipynb#Unit-rate), `#Unit-rate`, [x](glossary.ipynb#Unknown), [m](glossary.ipynb#mIOU)"
    mended = glossary.with_cell_addresses(text, ["Unit rate", "mIOU"])
    cells = text.replace("ipynb#Unit-rate", "ipynb#cell-id=unit-rate")
    assert mended == cells.replace("ipynb#mIOU", "ipynb#cell-id=miou")
    assert glossary.with_cell_addresses(mended, ["Unit rate", "mIOU"]) == mended


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("## Tap\n\nIt is a word.", "must end in a line"),
        (
            "## Tap\n\n*Paper*: 3.1. *Lesson*: [01 A](01_a.ipynb). *See also*: [Rate](#Rate).",
            "must end in a line",
        ),
        ("## Tap\n\nWord.\n\n## Rate\n\nWord.", "2 headings"),
        ("## Tap\n\nA word.\n\n*Paper*: 3.1. *Lesson*: 01. *See also*: [Rate](#Rate).", "name a lesson"),
    ],
)
def test_malformed_entry_is_refused_and_says_why(source, message):
    with pytest.raises(ValueError, match=message):
        glossary.entry(source)


def test_new_words_are_read_in_every_form_that_lessons_use():
    text = (
        "## Recap\n\n- **No**: before.\n\n**New words**\n\n- [**Tap**](glossary.ipynb#Tap): a **bold** word.\n"
        "- **Hole**, **gridding**: two.\n\n**What comes next.** - **No**: behind."
    )
    assert glossary.new_words(new_notebook(cells=[new_markdown_cell(text)])) == ["Tap", "Hole", "gridding"]
