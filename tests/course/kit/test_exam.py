"""An exam adds up what was answered, and sends whoever was wrong to the right place."""

import re

import pytest
from lesson_files import LESSONS, notebook

from dlv3.course.kit import questions
from dlv3.course.kit.exam import Asked, Exam
from dlv3.course.kit.questions import Choice, Number
from dlv3.course.lessons.lesson13_conclusions.exam import last_exam


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(questions, "_kept", {})


def small() -> Exam:
    return Exam(
        "Small",
        [
            Asked(Number("How many?", within=0.5), 4, "Two and two.", "01_first", "section 1"),
            Asked(Choice("Which?", ["<a>", "b"]), "b", "It is.", "02_second", "section 2"),
        ],
    )


def give(exam: Exam, *answers: str) -> None:
    for asked, answer in zip(exam.asked, answers, strict=True):
        asked.question.control.value = answer


def test_nothing_answered_is_said_and_tells_no_answer():
    result = small().result()
    assert repr(result) == "… 2 questions, none answered yet\nAnswer above, then run this cell."
    assert result.points == 0


def test_right_answers_are_added_up_and_explained():
    exam = small()
    give(exam, "4.4", "b")
    result = exam.result()
    assert (result.points, result.lessons, result.card.kind) == (2, [], "right")
    assert "2 of 2 right" in repr(result)
    assert "✓ 1: Two and two." in repr(result)


def test_wrong_answer_names_the_lesson_and_not_the_answer():
    exam = small()
    give(exam, "5", "b")
    result = exam.result()
    assert (result.points, result.lessons, result.card.kind) == (1, ["01_first"], "wrong")
    assert "✗ 1: 5 is not right. Go back to lesson 01, section 1." in repr(result)
    assert "Two and two" not in repr(result)
    assert '<a href="01_first.ipynb">lesson 01</a>, section 1' in result._repr_html_()


def test_what_is_left_open_is_counted_and_is_not_wrong():
    exam = small()
    exam.asked[1].question.control.value = "b"
    result = exam.result()
    assert (result.points, result.lessons, result.card.kind) == (1, [], "open")
    assert "1 not answered." in repr(result)
    assert "… 1: not answered" in repr(result)


def test_answers_can_be_changed_and_survive_running_the_cell_again():
    exam = small()
    give(exam, "5", "<a>")
    assert exam.result().points == 0
    assert "&lt;a&gt;" in exam.result()._repr_html_()
    again = small()
    assert again.result().kinds == ("wrong", "wrong")
    give(again, "4", "b")
    assert again.result().points == 2


def test_questions_are_numbered_and_stored_without_answers():
    exam = small()
    headings = [asked.question.children[0].value for asked in exam.asked]
    assert headings == ["<strong>1.</strong> How many?", "<strong>2.</strong> Which?"]
    bundle = exam._repr_mimebundle_()
    assert bundle["text/plain"] == "Small\n1. How many?\n2. Which?"
    assert "Two and two" not in bundle["text/html"]


@pytest.mark.parametrize("texts", [[], ["A?", "A?"]])
def test_exam_needs_different_questions(texts):
    with pytest.raises(ValueError, match="one or more different questions"):
        Exam("Bad", [Asked(Number(text), 1, "", "01_first", "") for text in texts])


def test_last_exam_is_passed_by_its_answers_and_by_no_neighbouring_ones():
    exam = last_exam()
    assert len(exam.asked) == 10
    give(exam, *(str(asked.answer) for asked in exam.asked))
    assert exam.result().points == 10
    for asked in exam.asked:
        control, right = asked.question.control, str(asked.answer)
        wrong = asked.question.options if isinstance(asked.question, Choice) else [str(asked.answer + 2)]
        for answer in set(wrong) - {right}:
            control.value = answer
            assert asked.judged() == "wrong"
        control.value = right


def test_last_exam_sends_to_sections_that_are_there():
    lessons = {path.stem: path for path in LESSONS}
    for asked in last_exam().asked:
        assert asked.lesson in lessons, asked
        text = "\n".join(cell.source for cell in notebook(lessons[asked.lesson]).cells)
        number = asked.place.removeprefix("section ")
        assert re.search(rf"^## {number}(\.|$)", text, re.M), f"{asked.lesson} has no {asked.place!r}"


def test_lesson_works_out_the_answers_that_the_exam_has():
    (path,) = [path for path in LESSONS if path.stem == "13_conclusions"]
    folded = next(cell.source for cell in notebook(path).cells if "All ten, worked out" in cell.source)
    for number, asked in enumerate(last_exam().asked, 1):
        (line,) = [line for line in folded.splitlines() if line.startswith(f"{number}. ")]
        words = {
            7: "missing batch normalization",
            8: "momentum",
            9: "label the padding has",
            10: "Within noise",
        }
        assert words.get(number, str(asked.answer)) in line
