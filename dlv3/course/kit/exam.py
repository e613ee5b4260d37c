"""An exam: several questions, their total, and for each wrong answer the lesson to go back to.

    exam = Exam("The last exam", [Asked(Choice("Which?", ["a", "b"]), "b", "Because.", "05_multi_grid", "section 3")])
    exam                # a cell's last line: the learner answers
    exam.result()       # the last line of the next cell; run it as often as you like

The result never shows a right answer that was not given: the learner can look it up and answer again. The answers are
not in the notebook either; they are in the lesson's room, where the exam is written.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from dlv3.course.kit.cards import Card, Kind, inline_html
from dlv3.course.kit.questions import Choice, Number
from dlv3.course.kit.read_number import FORMS


@dataclass(frozen=True)
class Asked:
    """One question of an exam.

    Args:
        question: the question; its `compare` judges the answer.
        answer: the right answer.
        why: the reason, shown with a right answer.
        lesson: the notebook's file name without its ending, such as "05_multi_grid".
        place: where in that lesson, such as "section 3".
    """

    question: Choice | Number
    answer: Any
    why: str
    lesson: str
    place: str

    def judged(self) -> Kind:
        """Return "right", "wrong", "note" if nothing was answered, or "open" if the answer cannot be read."""
        return self.question.compare(self.answer).kind


@dataclass(frozen=True)
class Result:
    """The outcome of an exam: a card, and below it one line per question."""

    asked: tuple[Asked, ...]
    kinds: tuple[Kind, ...]

    @property
    def points(self) -> int:
        """Number of right answers."""
        return self.kinds.count("right")

    @property
    def lessons(self) -> list[str]:
        """Lessons of the wrong answers, each once, in the order of the course."""
        pairs = zip(self.asked, self.kinds, strict=True)
        return sorted({asked.lesson for asked, kind in pairs if kind == "wrong"})

    @property
    def card(self) -> Card:
        """The total, with what to do next."""
        total, unanswered = len(self.kinds), self.kinds.count("note") + self.kinds.count("open")
        if unanswered == total:
            return Card("open", f"{total} questions, none answered yet", "Answer above, then run this cell.")
        title = f"{self.points} of {total} right"
        if self.points == total:
            return Card("right", title, "You have understood this paper.")
        advice = [f"{unanswered} not answered."] if unanswered else []
        if self.lessons:
            advice.append("Go back to the places named below, answer again, and run this cell once more.")
        return Card("wrong" if self.lessons else "open", title, " ".join(advice))

    def _lines(self) -> list[str]:
        if set(self.kinds) == {"note"}:
            return []
        lines = []
        for number, (asked, kind) in enumerate(zip(self.asked, self.kinds, strict=True), 1):
            if kind == "right":
                lines.append(f"✓ {number}: {asked.why}")
            elif kind == "note":
                lines.append(f"… {number}: not answered")
            elif kind == "open":
                lines.append(f"… {number}: your answer cannot be read. {FORMS}")
            else:
                given = asked.question.prediction
                said = f"{given:g}" if isinstance(given, float) else given
                lines.append(
                    f"✗ {number}: {said} is not right. Go back to lesson {asked.lesson[:2]}, {asked.place}."
                )
        return lines

    def __repr__(self) -> str:
        return "\n".join([repr(self.card), *self._lines()])

    def _repr_html_(self) -> str:
        lines = [inline_html(line) for line in self._lines()]
        for lesson in self.lessons:
            name = f"lesson {lesson[:2]}"
            lines = [line.replace(f"{name},", f'<a href="{lesson}.ipynb">{name}</a>,') for line in lines]
        items = "".join(f"<li style='list-style: none; margin: 4px 0'>{line}</li>" for line in lines)
        return self.card._repr_html_() + (f"<ul style='padding-left: 16px'>{items}</ul>" if items else "")


class Exam(widgets.VBox):
    """Numbered questions, one below the other, and their result.

    Args:
        title: the exam's name.
        asked: its questions, each with a text of its own.

    Raises:
        ValueError: there is no question, or two have the same text (they would share one answer).
    """

    def __init__(self, title: str, asked: Sequence[Asked]) -> None:
        texts = [each.question.question for each in asked]
        if not texts or len(set(texts)) < len(texts):
            raise ValueError(f"asked: expected one or more different questions, got {len(texts)}")
        self.title, self.asked = title, tuple(asked)
        for number, each in enumerate(asked, 1):
            heading = each.question.children[0]
            heading.value = f"<strong>{number}.</strong> {inline_html(each.question.question)}"
        super().__init__([each.question for each in asked])
        self.add_class("dlv3-exam")

    def result(self) -> Result:
        """Return the result of the answers given so far."""
        return Result(self.asked, tuple(each.judged() for each in self.asked))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        questions = [each.question for each in self.asked]
        numbered = [f"{number}. {question.question}" for number, question in enumerate(questions, 1)]
        bundle["text/plain"] = "\n".join([self.title, *numbered])
        items = "".join(f"<li>{inline_html(q.question)}{q._choices_html()}</li>" for q in questions)
        bundle["text/html"] = (
            f'<div class="dlv3-exam"><p><strong>{html.escape(self.title)}</strong></p><ol>{items}</ol></div>'
        )
        return bundle
