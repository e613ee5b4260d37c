"""The exam as a page takes and scores it: its questions, answers and the places to go back to."""

import html
import json
from typing import Any

from dlv3.course.kit.cards import inline_html
from dlv3.course.kit.exam import Asked
from dlv3.course.kit.questions import Choice
from dlv3.course.lessons.lesson14_conclusions.exam import last_exam


def exam(lesson: str) -> str:
    """Write the exam as a form. Its answers are in the page's data, and in no text that a reader sees."""
    asked = last_exam()
    items = "".join(
        f"<li>{_item(each, f'{lesson}-exam-{number}')}</li>" for number, each in enumerate(asked.asked)
    )
    return (
        f'<form class="dlv3-exam"><p><strong>{html.escape(asked.title)}</strong></p><ol>{items}</ol>'
        '<button type="submit">Score the exam</button> <button type="reset">Start again</button>'
        '<div class="dlv3-result" role="status"></div></form>'
        "<script>dlv3.exam(document.currentScript.previousElementSibling)</script>"
    )


def _item(asked: Asked, key: str) -> str:
    question = asked.question
    facts: dict[str, Any] = {
        "key": key,
        "why": inline_html(asked.why),
        "lesson": asked.lesson,
        "place": asked.place,
    }
    if isinstance(question, Choice):
        facts["right"] = question.options.index(str(asked.answer))
        control = "".join(
            f'<label><input type="radio" name="{key}" value="{place}"> <span>{inline_html(option)}</span></label>'
            for place, option in enumerate(question.options)
        )
    else:
        facts |= {"number": float(asked.answer), "within": question.within, "unit": question.unit}
        unit = f' <span class="dlv3-unit">{html.escape(question.unit)}</span>' if question.unit else ""
        control = (
            '<label class="dlv3-number"><span>Your number</span> '
            f'<input type="text" inputmode="decimal" autocomplete="off" size="9" name="{key}">{unit}</label>'
        )
    data = html.escape(json.dumps(facts), quote=True)
    return (
        f'<fieldset data-facts="{data}"><legend>{inline_html(question.question)}</legend>{control}'
        '<p class="dlv3-mark"></p></fieldset>'
    )
