"""The lesson's figures show what their words say."""

import pytest
import torch
from matplotlib import pyplot as plt

from dlv3.course.lessons.lesson01_atrous_convolution import figures
from dlv3.data.made.markers import Markers


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_two_paths_have_four_maps_on_one_scale():
    picture, narrow, wide = torch.rand(1, 1, 20, 20), torch.rand(1, 1, 6, 6), torch.rand(1, 1, 12, 12)
    axes = figures.two_paths(picture, narrow, wide, wide).axes
    assert len(axes) == 5
    assert axes[1].images[0].get_clim() == axes[3].images[0].get_clim()


def test_phases_are_every_second_sample():
    picture = torch.rand(1, 1, 8, 8)
    axes = figures.phases(picture).axes
    shown = axes[2].images[0].get_array()
    assert torch.equal(torch.as_tensor(shown.data), picture[0, 0, 0::2, 1::2])


def test_squares_mark_the_places_at_the_markers_distance_and_one_holds_it():
    pictures = Markers("one", "train", distance=48, pictures=1)
    disc = pictures.layout(0)[0]
    marked = figures.disc_and_places(pictures, 48).axes[1]
    circle, *squares = [tuple(spots.get_offsets()[0]) for spots in marked.collections]
    assert circle == disc.place[::-1]
    assert tuple(disc.marker)[::-1] in squares
    assert all(max(abs(x - circle[0]), abs(y - circle[1])) == 48 for x, y in squares)


def test_scores_are_written_at_their_points():
    axis = figures.scores_by_rate({1: 25.2, 12: 99.6, 24: 24.7}).axes[0]
    assert [text.get_text() for text in axis.texts] == ["25", "100", "25"]
