"""Questions keep a prediction and compare it, and work without one."""

import pytest

from dlv3.course.kit import questions
from dlv3.course.kit.questions import Choice, Number


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(questions, "_kept", {})


def test_untouched_choice_asks_for_a_prediction_and_folds_the_answer():
    card = Choice("How many?", ["44", "88"]).compare(88, "Path B keeps them.")
    assert repr(card) == (
        "→ Predict first, then run this cell again\nYour answer goes where the question is, further up."
    )
    folded = "<details><summary>Show the answer</summary>The answer: 88. Path B keeps them.</details>"
    assert card._repr_html_().endswith(f"{folded}</div>")


def test_choice_starts_with_nothing_picked():
    assert Choice("How many?", ["44", "88"]).control.value is None


@pytest.mark.parametrize(("picked", "kind"), [("88", "right"), ("44", "wrong")])
def test_picked_choice_is_compared(picked, kind):
    question = Choice("How many?", ["44", "88"])
    question.control.value = picked
    card = question.compare("88")
    assert card.kind == kind
    assert picked in card.title


def test_answer_survives_running_the_questions_cell_again():
    Choice("How many?", ["44", "88"]).control.value = "44"
    again = Choice("How many?", ["44", "88"])
    assert again.prediction == again.control.value == "44"


def test_answer_to_one_question_is_not_anothers():
    Choice("How many?", ["44", "88"]).control.value = "44"
    assert Choice("How wide?", ["44", "88"]).prediction is None


def test_choice_refuses_an_answer_that_is_not_offered():
    with pytest.raises(ValueError, match="expected one of"):
        Choice("How many?", ["44", "88"]).compare("100")


@pytest.mark.parametrize("options", [["44"], ["44", "44"]])
def test_choice_needs_two_different_options(options):
    with pytest.raises(ValueError, match="two or more different"):
        Choice("How many?", options)


def test_untouched_number_folds_the_answer():
    card = Number("What share?", unit="%").compare(12.5)
    assert "12.5" not in repr(card)
    assert card.folded == "The answer: 12.5%."


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("13", "right"),
        ("12.5", "right"),
        ("12,9 ", "right"),
        ("0.125", "right"),
        ("12.5 %", "right"),
        ("1/8", "right"),
        ("13.5", "right"),
        ("14", "wrong"),
        ("11", "wrong"),
        ("0.125 %", "wrong"),
    ],
)
def test_typed_number_is_right_within_its_margin(typed, kind):
    question = Number("What share?", unit="%", within=1)
    question.control.value = typed
    assert question.compare(12.5).kind == kind


def test_text_that_is_not_a_number_is_said_to_be_unreadable():
    question = Number("What share?")
    question.control.value = "many"
    assert question.prediction is None
    card = question.compare(12.5, "Why.")
    assert card.kind == "open"
    assert repr(card).startswith("… many cannot be read as a number\nWrite one number, such as 483")
    assert "12.5" not in card._repr_html_()


def test_what_was_typed_stays_in_the_box():
    Number("How many?").control.value = "414,872 weights"
    again = Number("How many?")
    assert again.control.value == "414,872 weights"
    assert again.compare(414_872).title == "You predicted 414,872; it is 414,872 (exactly)"


def test_stored_outputs_are_the_same_each_time():
    bundles = [Choice("Which `rate`?", ["1", "<2>"])._repr_mimebundle_() for _ in range(2)]
    for kind in ("text/plain", "text/html"):
        assert bundles[0][kind] == bundles[1][kind]
    assert "<code>rate</code>" in bundles[0]["text/html"]
    assert "&lt;2&gt;" in bundles[0]["text/html"]


def test_an_option_that_is_a_sentence_is_quoted():
    question = Choice("Which?", ["it gains", "it loses a lot"])
    question.control.value = "it gains"
    assert (
        question.compare("it loses a lot").title == "You predicted “it gains”. The answer: “it loses a lot”"
    )
