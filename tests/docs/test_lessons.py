"""A lesson on its way to a page: questions meet their answers, answers fold, explorers wait for their scripts."""

import json
import re
from html import unescape

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dlv3.course import AtrousExplorer, Choice, Number
from dlv3.course.kit.exercises import check
from dlv3.course.kit.explorer import WIDGET_VIEW
from docs.figures import Figures
from docs.lessons import page_of

WHERE = "Run <code>dlv3 lab</code>."


def shown(value) -> nbformat.NotebookNode:
    """The stored output of a value that a cell ends in."""
    if hasattr(value, "_repr_mimebundle_"):
        bundle = value._repr_mimebundle_()
        data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
    else:
        data = {"text/html": value._repr_html_(), "text/plain": repr(value)}
    data.pop(WIDGET_VIEW, None)
    return new_output("execute_result", data=data, execution_count=1)


def code(source: str, *outputs, tag: str | None = None) -> nbformat.NotebookNode:
    return new_code_cell(source, outputs=list(outputs), metadata={"tags": [tag]} if tag else {})


def printed(text: str) -> nbformat.NotebookNode:
    return new_output("stream", name="stdout", text=text)


def page(tmp_path, *cells) -> str:
    """The page's cells, as one text."""
    path = tmp_path / "01_first.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 01 First"), *cells]), path)
    made = page_of(path, Figures(tmp_path / "figures", "../figures"), WHERE, {"cell-id=rate": "Rate"})
    nbformat.validate(made)
    return "\n".join(
        cell.source + "".join(str(out.get("text", "")) for out in cell.get("outputs", []))
        for cell in made.cells
    )


def facts(text: str) -> dict:
    return json.loads(unescape(re.search(r'data-facts="([^"]*)"', text)[1]))


def test_choice_becomes_a_form_and_its_answer_stays_folded(tmp_path):
    width = Choice("How `wide`?", ["44", "88"])
    text = page(
        tmp_path,
        code("width = Choice('How `wide`?', ['44', '88'])\nwidth", shown(width)),
        new_markdown_cell("Think."),
        code(
            "print(88)\nwidth.compare(88, 'At stride 1.')",
            printed("88"),
            shown(width.compare(88, "At stride 1.")),
        ),
    )
    assert facts(text) == {
        "key": "01_first-width", "outcome": "88", "why": "At stride 1.", "options": ["44", "88"],
    }  # fmt: skip
    assert text.count('type="radio"') == 2
    before, gate = text.split('<details class="dlv3-gate" data-asks="01_first-width">')
    assert "print(88)" not in before
    assert "print(88)" in gate.partition("</details>")[0]
    assert "Predict first" not in text
    assert "Choice(" not in text


def test_number_keeps_its_unit_and_tolerance(tmp_path):
    field = Number("How far?", unit="px", within=60)
    text = page(
        tmp_path,
        code("field = Number('How far?', unit='px', within=60)\nfield", shown(field)),
        code("field.compare(483)", shown(field.compare(483))),
    )
    given = facts(text)
    assert (given["number"], given["unit"], given["within"], given["outcome"]) == (483, "px", 60, "483 px")


def test_numbers_and_figure_right_above_the_answer_are_folded_with_it(tmp_path):
    rate = Number("Which rate?")
    text = page(
        tmp_path,
        code("rate = Number('Which rate?')\nrate", shown(rate)),
        code("print('in sight')", printed("in sight")),
        new_markdown_cell("A word in between."),
        code("print('peak at 12')", printed("peak at 12")),
        code("rate.compare(12)", shown(rate.compare(12))),
    )
    gate = text.partition('<details class="dlv3-gate"')[2].partition("</details>")[0]
    assert "peak at 12" in gate
    assert "in sight" not in gate


def test_two_answers_one_behind_the_other_share_a_fold(tmp_path):
    one, two = Choice("One?", ["a", "b"]), Choice("Two?", ["c", "d"])
    text = page(
        tmp_path,
        code("one = Choice('One?', ['a', 'b'])\none", shown(one)),
        code("two = Choice('Two?', ['c', 'd'])\ntwo", shown(two)),
        code("one.compare('a')", shown(one.compare("a"))),
        code("two.compare('d')", shown(two.compare("d"))),
    )
    assert re.findall(r'data-asks="([^"]*)"', text) == ["01_first-one 01_first-two"]
    assert text.count("</details>") == 1


def test_question_without_an_answer_is_refused(tmp_path):
    one = Choice("One?", ["a", "b"])
    with pytest.raises(ValueError, match="without an answer: one"):
        page(tmp_path, code("one = Choice('One?', ['a', 'b'])\none", shown(one)))
    with pytest.raises(ValueError, match="which no cell above asks"):
        page(tmp_path, code("other.compare('a')", shown(one.compare("a"))))


def test_explorer_waits_for_its_script_with_its_state_and_still(tmp_path):
    text = page(tmp_path, code("AtrousExplorer(rate=3)", shown(AtrousExplorer(rate=3))))
    assert re.search(r'data-explorer-mount="atrous" data-state="[^"]*&quot;rate&quot;: 3', text)
    assert '<script src="../_static/explorers/atrous.js"></script>' in text
    assert re.search(r"<noscript><svg.*</svg></noscript>", text, re.S)


def test_exercise_folds_with_a_line_on_how_to_run_it(tmp_path):
    text = page(
        tmp_path,
        code("k = ...", tag="exercise:01/effective-kernel"),
        code('check("01/effective-kernel", k)', shown(check("01/effective-kernel", ...))),
    )
    assert re.search(r'<details class="dlv3-exercise" open><summary><span>Your code goes here: [^<]*●', text)
    assert "Not done yet" not in text
    assert f'<p class="dlv3-run">{WHERE}</p>' in text


def test_link_to_a_cell_of_the_glossary_becomes_one_to_its_heading(tmp_path):
    text = page(tmp_path, new_markdown_cell("A [**rate**](glossary.ipynb#cell-id=rate)."))
    assert "(glossary.ipynb#rate)" in text


def test_cell_whose_source_jupyterlab_hides_is_folded_on_the_page(tmp_path):
    path = tmp_path / "01_first.ipynb"
    hidden, shown_cell = code("assert True"), code("print(1)")
    hidden.metadata["jupyter"] = {"source_hidden": True}
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 01 First"), hidden, shown_cell]), path)
    cells = page_of(path, Figures(tmp_path / "figures", "../figures"), WHERE, {}).cells
    assert [cell.metadata.get("tags") for cell in cells if cell.cell_type == "code"] == [["hide-input"], None]
