"""Inputs that an answer changes, checks that take too long, and the form in which the lesson goes on."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from dlv3.course.kit import watching
from dlv3.course.kit.watching import Wrong, in_form, patience, watched


def _scale(weight):
    weight *= 2
    return weight


def _append(numbers):
    numbers.append(0)


def _first(table):
    table["a"][0] = 7


def _write(mask):
    mask[0] = 1


@pytest.mark.parametrize(
    ("function", "value", "name"),
    [
        (_scale, torch.ones(2), "weight"),
        (_append, [1], "numbers"),
        (_first, {"a": [1, 2]}, "table"),
        (_write, np.zeros(3), "mask"),
        (_write, torch.zeros(3, dtype=torch.bool), "mask"),
    ],
)
def test_an_input_that_changes_is_named(function, value, name):
    with pytest.raises(Wrong, match=rf"`{function.__name__}` changes `{name}`, which"):
        watched(function)(value)


def test_what_stays_the_same_is_let_pass():
    values = [
        torch.tensor([1.0, torch.nan]),
        np.zeros(2),
        {1},
        "text",
        None,
        nn.ReLU(),
        torch.empty(2, device="meta"),
    ]
    assert watched(lambda values: len(values))(values) == len(values)


def test_modules_and_what_is_given_by_name_are_passed_through():
    layer = nn.Linear(2, 2)
    assert watched(lambda *, layer: layer)(layer=layer) is layer
    watched(lambda layer: nn.init.zeros_(layer.weight))(layer)


class _InPlace(nn.Module):
    def forward(self, x):
        return x.relu_()


def test_a_module_that_changes_its_input_is_refused():
    module = watched(_InPlace)()
    assert isinstance(module, _InPlace)
    with pytest.raises(Wrong, match=r"`_InPlace.forward` changes `x`"):
        module(torch.tensor([-1.0]))
    module(torch.tensor([1.0]))


@pytest.mark.parametrize("answer", [(1, 2), {"a": 1}, 3.5, ..., nn.ReLU()])
def test_values_are_not_wrapped(answer):
    assert watched(answer) is answer


def test_a_check_over_its_time_says_how_to_interrupt(monkeypatch):
    shown = []
    monkeypatch.setattr(watching, "SECONDS", 0.0)
    monkeypatch.setattr(watching, "display", shown.append)
    with patience("Endless"):
        for _ in range(500):
            if shown:
                break
            time.sleep(0.01)
    assert "Endless" in shown[0].title
    assert "Interrupt Kernel" in shown[0].text


def test_a_quick_check_says_nothing(monkeypatch):
    shown = []
    monkeypatch.setattr(watching, "display", shown.append)
    with patience("Quick"):
        pass
    assert shown == []


def test_results_take_the_form_that_the_lesson_goes_on_with():
    assert in_form(lambda n: [n, n], tuple)(2) == (2, 2)
    assert in_form([1, 2], tuple) == (1, 2)
