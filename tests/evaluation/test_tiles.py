"""Tiles of a large picture: each pixel once, from the tile in which it lies deeper."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dlv3.evaluation.tiles import Span, spans, tiles


def test_short_length_is_one_tile():
    assert spans(5, 8) == [Span(0, 5, 0, 5)]
    assert spans(8, 8) == [Span(0, 8, 0, 8)]


def test_cut_is_in_the_middle_of_what_two_tiles_share():
    assert spans(14, 8) == [Span(0, 8, 0, 7), Span(6, 14, 7, 14)]


@given(length=st.integers(1, 500), side=st.integers(1, 100))
def test_tiles_give_each_pixel_once_and_stay_inside(length: int, side: int):
    given_by = np.zeros(length, dtype=int)
    for span in spans(length, side):
        assert 0 <= span.start <= span.first < span.last <= span.stop <= length
        assert span.stop - span.start == min(side, length)
        given_by[span.kept] += 1
        assert np.array_equal(np.arange(length)[span.shown][span.inside], np.arange(length)[span.kept])
        # An eighth of the side around what it gives, or the picture's edge.
        assert span.first == 0 or span.first - span.start >= side // 4 // 2
        assert span.last == length or span.stop - span.last >= side // 4 // 2
    assert (given_by == 1).all()


def test_tiles_cover_a_picture():
    counts = np.zeros((50, 70), dtype=int)
    for rows, columns in tiles((50, 70), 32):
        counts[rows.kept, columns.kept] += 1
    assert (counts == 1).all()
