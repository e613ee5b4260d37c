"""The last exam: its answers are the lesson's, and it refers to sections that exist."""

import re

import pytest
from lesson_files import LESSONS, notebook

from dlv3.course.kit import questions
from dlv3.course.kit.questions import Choice
from dlv3.course.lessons.lesson14_conclusions.exam import last_exam


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(questions, "_kept", {})


def test_last_exam_accepts_its_answers_and_no_neighbouring_ones():
    exam = last_exam()
    assert len(exam.asked) == 10
    for asked in exam.asked:
        asked.question.control.value = str(asked.answer)
    assert exam.result().points == 10
    for asked in exam.asked:
        control, right = asked.question.control, str(asked.answer)
        wrong = asked.question.options if isinstance(asked.question, Choice) else [str(asked.answer + 2)]
        for answer in set(wrong) - {right}:
            control.value = answer
            assert asked.judged() == "wrong"
        control.value = right


def test_last_exam_refers_to_sections_that_exist():
    lessons = {path.stem: path for path in LESSONS}
    for asked in last_exam().asked:
        assert asked.lesson in lessons, asked
        text = "\n".join(cell.source for cell in notebook(lessons[asked.lesson]).cells)
        number = asked.place.removeprefix("section ")
        assert re.search(rf"^## {number}(\.|$)", text, re.M), f"{asked.lesson} has no {asked.place!r}"


def test_lesson_works_out_the_exams_answers():
    (path,) = [path for path in LESSONS if path.stem == "14_conclusions"]
    folded = next(cell.source for cell in notebook(path).cells if "All ten, worked out" in cell.source)
    for number, asked in enumerate(last_exam().asked, 1):
        (line,) = [line for line in folded.splitlines() if line.startswith(f"{number}. ")]
        words = {
            6: "rates 1, 1, 1",
            7: "missing batch normalization",
            8: "momentum",
            9: "label the padding has",
            10: "Within noise",
        }
        assert words.get(number, str(asked.answer)) in line
