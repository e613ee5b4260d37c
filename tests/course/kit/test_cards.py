"""A card says the same as text and as HTML, and its kind is told by a mark as well as by colour."""

import pytest

from dlv3.course.kit.cards import Card, inline_html


@pytest.mark.parametrize(("kind", "mark"), [("right", "✓"), ("wrong", "✗"), ("open", "…"), ("note", "→")])
def test_text_and_html_carry_the_mark_the_title_and_the_text(kind, mark):
    card = Card(kind, "Title", "One\nTwo")
    assert repr(card) == f"{mark} Title\nOne\nTwo"
    assert f"<strong>{mark} Title</strong><br>One<br>Two" in card._repr_html_()
    assert f"dlv3-{kind}" in card._repr_html_()


def test_card_without_text_is_one_line():
    assert repr(Card("right", "Right")) == "✓ Right"
    assert "<br>" not in Card("right", "Right")._repr_html_()


def test_html_is_escaped_and_backticks_become_code():
    assert inline_html('`a < b` & "c"') == '<code>a &lt; b</code> &amp; "c"'


def test_what_is_folded_is_in_the_html_alone():
    card = Card("note", "Predict", "Above.", folded="It is `88`.", summary="Show")
    assert repr(card) == "→ Predict\nAbove."
    assert "<details><summary>Show</summary>It is <code>88</code>.</details>" in card._repr_html_()
