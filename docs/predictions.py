"""Questions of a lesson, paired with their answers, so that a page can ask first and answer after the guess.

A lesson holds a question and its answer in two cells: `size = Choice(…)` and later `size.compare(88, "Because …")`.
The stored outputs have the texts; the first cell's source has what a page needs to judge a number.
"""

import ast
import html
import json
import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from dlv3.course.kit.read_number import read_number

_ASKED = 'class="dlv3-question"'
_CARD = re.compile(r'<div class="dlv3-card dlv3-note".*?</div>', re.S)
_ANSWERED = re.compile(r"<details><summary>[^<]*</summary>The answer: (.*?)</details>", re.S)


@dataclass(frozen=True)
class Question:
    """A question as a page asks it.

    Args:
        name: its variable in the lesson.
        text: the question, as HTML.
        options: the answers to choose from, as HTML; empty for a number.
        unit: a number's unit.
        within: the largest difference that counts as right.
    """

    name: str
    text: str
    options: tuple[str, ...]
    unit: str
    within: float


@dataclass(frozen=True)
class Answer:
    """What a cell says of the question `name`: the outcome and, after a full stop, the reason, as HTML."""

    name: str
    text: str

    def parts(self, asked: Question) -> tuple[str, str]:
        """Return the outcome and the reason.

        Raises:
            ValueError: the outcome is not one of the question's options, or is not a number.
        """
        known = sorted((option for option in asked.options if self.text.startswith(f"{option}.")), key=len)
        outcome = known[-1] if known else "" if asked.options else re.split(r"\.(?:\s|$)", self.text)[0]
        if not outcome:
            raise ValueError(f"{self.name}: the answer {self.text!r} begins with none of the options")
        if not asked.options and read_number(_plain(outcome)) is None:
            raise ValueError(f"{self.name}: the answer {self.text!r} does not begin with a number")
        return outcome, self.text[len(outcome) + 1 :].strip()


def output_html(cell: NotebookNode) -> str:
    """Return the HTML of a cell's stored outputs."""
    outputs = cell.outputs if cell.cell_type == "code" else []
    return "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)


def question(cell: NotebookNode) -> Question | None:
    """Read the question that a cell asks, if it asks one.

    Raises:
        ValueError: the question is not given a name.
    """
    shown = output_html(cell)
    if _ASKED not in shown or "dlv3-exam" in shown:
        return None
    text, options = _asked(shown)
    for node in ast.walk(ast.parse(cell.source)):
        made = node.value if isinstance(node, ast.Assign) else None
        if isinstance(made, ast.Call) and getattr(made.func, "id", "") in ("Choice", "Number"):
            assert isinstance(node, ast.Assign)
            name = ast.unparse(node.targets[0])
            given = {key.arg: ast.literal_eval(key.value) for key in made.keywords}
            return Question(name, text, options, str(given.get("unit", "")), float(given.get("within", 0)))
    raise ValueError(
        f"cell {cell.id!r} asks a question without a name; write name = Choice(...) or Number(...)"
    )


def _asked(shown: str) -> tuple[str, tuple[str, ...]]:
    found = re.search(r"<strong>Predict\.</strong> (.*?)</p>", shown, re.S)
    return (found[1] if found else ""), tuple(re.findall(r"<li>(.*?)</li>", shown, re.S))


def answer(cell: NotebookNode) -> Answer | None:
    """Read the answer that a cell gives, if it gives one.

    Raises:
        ValueError: it compares no question by its name.
    """
    found = _ANSWERED.search(output_html(cell))
    if found is None:
        return None
    name = re.search(r"(\w+)\.compare\(", cell.source)
    if name is None:
        raise ValueError(f"cell {cell.id!r} gives an answer; write question.compare(...) in it")
    return Answer(name[1], found[1])


def form(asked: Question, given: Answer, key: str) -> str:
    """Write the question as a form; `key` is its name in the browser's storage."""
    outcome, why = given.parts(asked)
    facts: dict[str, Any] = {"key": key, "outcome": _plain(outcome), "why": why}
    if asked.options:
        facts["options"] = [_plain(option) for option in asked.options]
        control = "".join(
            f'<label><input type="radio" name="{key}" value="{place}"> <span>{option}</span></label>'
            for place, option in enumerate(asked.options)
        )
    else:
        facts |= {"number": read_number(facts["outcome"]), "unit": asked.unit, "within": asked.within}
        unit = f' <span class="dlv3-unit">{html.escape(asked.unit)}</span>' if asked.unit else ""
        control = (
            '<label class="dlv3-number"><span>Your number</span> '
            f'<input type="text" inputmode="decimal" autocomplete="off" size="9" name="{key}">{unit}</label>'
            '<button type="submit">Predict</button>'
        )
    return (
        f'<form class="dlv3-ask" id="ask-{key}" data-facts="{html.escape(json.dumps(facts), quote=True)}">'
        f"<fieldset><legend><strong>Predict.</strong> {asked.text}</legend>{control}</fieldset>"
        '<p class="dlv3-kept" role="status"></p></form>'
    )


def _plain(text: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", text))


def without_card(shown: str) -> str:
    """Return a cell's stored HTML without its card."""
    return _CARD.sub("", shown)
