"""An exam adds up the answers, and names the place to read again for each wrong one."""

import pytest

from dlv3.course.kit import questions
from dlv3.course.kit.exam import Asked, Exam
from dlv3.course.kit.questions import Choice, Number


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


def test_without_answers_the_result_says_so_and_shows_none():
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


def test_unanswered_questions_are_counted_and_are_not_wrong():
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
