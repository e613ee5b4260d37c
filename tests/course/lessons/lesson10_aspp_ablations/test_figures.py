"""Lesson 10's figures draw what they are given, and its explorer counts the taps on a shape."""

import pytest
import torch

from dlv3.course.lessons.lesson10_aspp_ablations import figures
from dlv3.data.made.scenes import Scenes

RATES = (1, 2, 4)
CURVE = {rate: [10.0 * rate, 10.0 * rate + 2, 10.0 * rate + 4] for rate in RATES}


def test_means_are_over_the_seeds():
    assert figures.means_of(CURVE) == {1: 12.0, 2: 22.0, 4: 42.0}


def test_nine_windows_stand_a_rate_apart():
    figure = figures.windows_figure(torch.zeros(3, 129, 129), 60, 64, (1, 3))
    corners = [patch.get_xy() for patch in figure.axes[1].patches]
    assert len(corners) == 9
    assert {x for x, _ in corners} == {64 - 12 - 11.5, 64 - 11.5, 64 + 12 - 11.5}


def test_ring_stands_at_each_curves_peak():
    curves = dict.fromkeys(("small", "medium", "large"), CURVE)
    figure = figures.sizes_figure(curves, dict.fromkeys(curves, "radius"))
    rings = [line for line in figure.axes[0].lines if line.get_markersize() == 15]
    assert [(list(ring.get_xdata()), list(ring.get_ydata())) for ring in rings] == [([4], [42.0])] * 3


def test_falls_begin_where_outer_weights_leave_the_map():
    figure = figures.falls_figure(CURVE, {16: 90.0, 33: 25.0})
    reaching = dict(zip(*figure.axes[0].lines[0].get_data(), strict=True))
    assert reaching[16] == 100
    assert reaching[33] == 0


@pytest.fixture(scope="module")
def explorer():
    scenes = Scenes("val", scene_cue=False, pictures=60)
    found = {size: {rate: 20.0 + rate for rate in RATES} for size in ("small", "medium", "large")}
    return figures.filter_explorer(scenes[36][0].as_subclass(torch.Tensor), scenes, 36, found)


def test_small_rates_stay_on_a_large_shape(explorer):
    explorer.set(rate=1, shape="large")
    assert explorer.says().startswith("Rate 1: taps 4 pixels apart; 9 of 9 on the shape, 0 off the picture.")


def test_every_choice_has_its_own_picture(explorer):
    pictures = set()
    for shape in ("small", "large"):
        for rate in RATES:
            explorer.set(rate=rate, shape=shape)
            pictures.add(explorer.picture.value)
    assert len(pictures) == 6
