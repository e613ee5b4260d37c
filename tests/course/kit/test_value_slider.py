"""A slider's value and place move together; what is told is the value."""

import pytest
import traitlets as t

from dlv3.course.kit.value_slider import ValueSlider


@pytest.fixture
def strides():
    return ValueSlider((32, 16, 8, 4), 16, "Pixels per answer")


def test_value_and_place_move_together(strides):
    assert (strides.value, strides.place) == (16, 1)
    strides.value = 4
    assert strides.place == 3
    strides.place = 0
    assert strides.value == 32


def test_browser_gets_the_values_as_words(strides):
    state = strides.get_state()
    assert state["words"] == ["32", "16", "8", "4"]
    assert "value" not in state
    assert strides.options[2] == ("8", 8)
    assert 'setAttribute("aria-valuetext", words[place])' in strides._esm


def test_value_that_it_does_not_have_is_refused(strides):
    with pytest.raises(t.TraitError, match="expected one of"):
        strides.value = 5
    assert (strides.value, strides.place) == (16, 1)


def test_observer_hears_once_of_each_move(strides):
    heard = []
    strides.observe(lambda change: heard.append(change["new"]), names="value")
    strides.place = 2
    strides.value = 32
    assert heard == [8, 32]
