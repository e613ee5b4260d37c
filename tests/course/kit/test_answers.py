"""The parts that checks share: an answer's form, and the known mistake behind a wrong value."""

import math

import numpy as np
import pytest
import torch

from dlv3.course.kit.answers import entries, hint_for, number, sequence, several, tensor, whole_rates
from dlv3.course.kit.exercises import Wrong


@pytest.mark.parametrize(
    ("got", "same"),
    [
        (0.5, 1 / 2),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        ((1, 2.5), [1.0, 2.5]),
        (torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 3)),
        (-math.inf, -math.inf),
    ],
)
def test_a_known_mistake_is_named(got, same):
    assert hint_for(got, [(7.0, "seven"), (same, "this one"), (same, "a later one")]) == "this one"


@pytest.mark.parametrize("got", [0.6, (0.5, 0.5), torch.full((1,), 0.5), "0.5", None, {"a": 1}, math.nan])
def test_another_value_shape_or_kind_is_not_named(got):
    assert hint_for(got, [(0.5, "half")]) == ""


def test_the_tolerance_is_the_largest_difference():
    assert hint_for(1.005, [(1.0, "one")], tolerance=0.006) == "one"
    assert hint_for(1.007, [(1.0, "one")], tolerance=0.006) == ""


def test_a_mistake_without_numbers_is_passed_over():
    assert hint_for(1.0, [("one", "a word"), (1.0, "a number")]) == "a number"


def test_entries_are_a_dictionary_with_the_keys():
    assert entries({"a": 1, "b": None}, ("b", "a")) == {"a": 1, "b": None}
    for attempt in ((1, 2), {"a": 1}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(Wrong, match="Keep the dictionary with the keys `a`, `b`."):
            entries(attempt, ("a", "b"))


def test_entries_left_open_are_not_done_yet():
    with pytest.raises(NotImplementedError):
        entries({"a": 1, "b": ...}, ("a", "b"))


def test_tensor_is_returned_or_refused():
    value = torch.zeros(2)
    assert tensor(value, "`f(x)`") is value
    with pytest.raises(Wrong, match=r"`f\(x\)` gives a list, but it should be a tensor."):
        tensor([0.0], "`f(x)`")
    with pytest.raises(Wrong, match="Did you forget `return`?"):
        tensor(None, "`f(x)`")


def test_several_are_a_tuple_or_list_of_so_many():
    assert several((1, 2), "`f(x)`", 2, "two numbers") == [1, 2]
    for got in (1, (1,), {1, 2}):
        with pytest.raises(Wrong, match=r"but it should be two numbers"):
            several(got, "`f(x)`", 2, "two numbers")


@pytest.mark.parametrize("got", [3, 3.0, np.float32(3), torch.tensor(3), torch.tensor([3.0]), np.array([3])])
def test_a_number_may_be_numpys_or_a_tensors(got):
    assert number(got, "`f(x)`") == 3


@pytest.mark.parametrize("got", [True, "3", (3,), torch.zeros(2)])
def test_a_number_is_one_number(got):
    with pytest.raises(Wrong, match="but it should be one number"):
        number(got, "`f(x)`")


@pytest.mark.parametrize("got", [(1, 2), [1, 2], torch.tensor([1, 2]), np.array([1, 2]), range(1, 3)])
def test_a_sequence_may_be_of_any_kind(got):
    assert sequence(got, "`f(x)`") == (1, 2)


@pytest.mark.parametrize("got", [3, "12", {1, 2}, {1: 2}])
def test_a_sequence_has_an_order(got):
    with pytest.raises(Wrong, match="but it should be a tuple"):
        sequence(got, "`f(x)`")


def test_rates_are_whole_numbers():
    whole_rates((1, 2), "`f(x)`")
    whole_rates((np.int64(1), torch.tensor(2)), "`f(x)`")
    with pytest.raises(Wrong, match="a rate is a whole number"):
        whole_rates((1, 2.0), "`f(x)`")
