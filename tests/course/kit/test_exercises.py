"""Checks judge any answer without stopping the notebook."""

import pytest
import torch

from dlv3.course.kit import exercises
from dlv3.course.kit.exercises import Wrong, check, close, equal, exercise


@pytest.fixture(autouse=True)
def double(monkeypatch):
    """An exercise of lesson 99: double a number."""
    monkeypatch.setattr(exercises, "registry", {})
    monkeypatch.setattr(exercises, "results", {})

    @exercise("99/double", title="Double", difficulty=2, minutes=3)
    def _check(attempt):
        equal(attempt(3), 6, exercises.written("double", (3,)), {9: "You squared it."})
        return "Well doubled."


def _stub(x):
    raise NotImplementedError("not done yet")


@pytest.mark.parametrize(
    ("attempt", "kind", "text"),
    [
        (lambda x: 2 * x, "right", "Well doubled."),
        (lambda x: x * x, "wrong", "`double(3)` gives 9, but it should be 6. You squared it."),
        (lambda x: None, "wrong", "Did you forget `return`?"),
        (lambda x: [x], "wrong", "gives [3]"),
        (lambda x: x / 0, "wrong", "ZeroDivisionError"),
        (lambda: 6, "wrong", "TypeError"),
        (6, "wrong", "TypeError"),
        (lambda x: ..., "open", "run both cells"),
        (_stub, "open", "run both cells"),
        (..., "open", "run both cells"),
    ],
)
def test_any_answer_is_judged_without_raising(attempt, kind, text):
    result = check("99/double", attempt)
    assert result.card.kind == kind
    assert result.passed == (kind == "right")
    assert text in repr(result)


def test_or_else_hands_on_the_learners_answer_only_where_it_passed():
    right, wrong, library = (lambda x: 2 * x), (lambda x: x), object()
    assert check("99/double", right).or_else(library) is right
    assert check("99/double", wrong).or_else(library) is library


def test_unknown_exercise_is_the_lessons_mistake():
    with pytest.raises(ValueError, match=r"99/triple.*99/double"):
        check("99/triple", _stub)


def test_close_tells_shape_from_value():
    with pytest.raises(Wrong, match=r"shape \(2,\), but it should be \(3,\)"):
        close(torch.zeros(2), torch.zeros(3), "y")
    with pytest.raises(Wrong, match=r"at \(1,\) it is 5 where 0 belongs"):
        close(torch.tensor([0.0, 5.0]), torch.zeros(2), "y")
    with pytest.raises(Wrong, match=r"^y gives 2\.5, but it should be 1\.5\. Why\.$"):
        close(2.5, 1.5, "y", hint="Why.")
    with pytest.raises(Wrong, match="nan"):
        close(torch.tensor([0.0, torch.nan]), torch.zeros(2), "y")
    close([0.0, 1e-7], torch.zeros(2), "y")
