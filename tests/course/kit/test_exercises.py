"""Checks judge any answer without stopping the notebook."""

import numpy as np
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


def _torchs_own(x):
    raise NotImplementedError("compute_indices_weights_linear not implemented for Long")


def _calls_a_stub(x):
    return _stub(x)


def _doubled_in_place(numbers):
    numbers[0] *= 2


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
        (_calls_a_stub, "open", "run both cells"),
        (_torchs_own, "wrong", "`NotImplementedError`: compute_indices"),
        (lambda x: np.int64(2 * x), "right", "Well doubled."),
        (lambda x: torch.tensor([2 * x]), "right", "Well doubled."),
        (lambda x: np.zeros(3), "wrong", "gives array"),
        (lambda x: True, "wrong", "gives True"),
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


def test_or_else_gives_the_form_that_the_lesson_goes_on_with():
    @exercise("99/pair", title="A pair", gives=tuple)
    def _check(attempt):
        equal(tuple(attempt(1)), (1, 1), "pair")

    assert check("99/pair", lambda x: [x, x]).or_else(None)(2) == (2, 2)


def test_an_interrupt_shows_the_learners_line():
    code = "def double(x):\n    while True:\n        stop()"
    space = {"stop": lambda: (_ for _ in ()).throw(KeyboardInterrupt)}
    exec(compile(code, "<cell>", "exec"), space)
    result = check("99/double", space["double"])
    assert repr(result).startswith("✗ Interrupted: Double\nYour code was at line 3 of your cell")


def test_a_stub_that_an_answer_calls_is_named():
    code = "def other(x):\n    raise NotImplementedError('not done yet')\ndef double(x):\n    return other(x)"
    space = {}
    exec(compile(code, "<cell>", "exec"), space)
    assert "Your code calls `other`, which is not written yet." in repr(check("99/double", space["double"]))
    assert "Write your answer above" in repr(check("99/double", space["other"]))


def test_an_input_changed_in_place_is_refused():
    @exercise("99/in-place", title="In place")
    def _check(attempt):
        attempt([1, 2])

    assert "changes `numbers`" in repr(check("99/in-place", _doubled_in_place))


def test_a_call_is_written_with_the_shapes_of_its_tensors():
    assert exercises.written("f", (torch.zeros(8), 2)) == "`f(tensor of shape (8,), 2)`"


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
