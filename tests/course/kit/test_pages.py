"""Formulas are found in Markdown, and nothing else is taken for one; test_site.py has whole pages."""

import pytest

from dlv3.course.kit import pages


@pytest.mark.parametrize(
    ("markdown", "count"),
    [
        ("$x$ and $y_1$", 2),
        ("\\$5 and \\$6", 0),
        ("$5 and 6$7", 0),
        ("`$x$`", 0),
        ("```\n$x$\n```", 0),
        ("$$a\n+ b$$", 1),
    ],
)
def test_dollars_are_formulas_only_where_they_are_meant(markdown, count):
    assert len(pages.formulas(markdown)[1]) == count


def test_formulas_return_to_their_places():
    text, made = pages.formulas("A `$k$` and $r$, then $$k_e$$.")
    assert "`$k$`" in text
    assert text.count("dlv3formula") == len(made) == 2
    whole = pages.with_formulas(text, made)
    assert "dlv3formula" not in whole
    assert whole.index("<mi>r</mi>") < whole.index("<msub>")
