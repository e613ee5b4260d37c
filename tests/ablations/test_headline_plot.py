"""The headline figure shows the paper's steps, ours with interval and seeds, and controls in grey."""

from dataclasses import replace

import matplotlib

matplotlib.use("agg")
import pytest
from made_records import made_record

from dlv3.ablations.headline_plot import headline_figure
from dlv3.ablations.paper.headlines import GROUPS
from dlv3.figure_style import BLUE, INK, VERMILLION


def drawn(scores):
    records = [
        replace(made_record("T2", row, seed, score / 100), preset="quarter")
        for row, values in scores.items()
        for seed, score in enumerate(values)
    ]
    figure = headline_figure(records)
    figure.canvas.draw()
    return figure, figure.axes[0]


def marks(axis, marker, colour):
    return [line for line in axis.lines if line.get_marker() == marker and line.get_color() == colour]


def test_rings_are_the_papers_and_diamonds_ours():
    figure, axis = drawn({"resnet50 block4": [30, 31, 32], "resnet50 block5": [50, 52, 54]})
    assert [ring.get_xdata()[0] for ring in marks(axis, "o", BLUE)][:3] == pytest.approx([7.33, 9.48, 9.07])
    [ours] = marks(axis, "D", VERMILLION)
    assert ours.get_xdata()[0] == pytest.approx(21)
    [interval] = [line for line in axis.lines if line.get_color() == VERMILLION and line.get_linestyle() == "-"
                  and line.get_marker() == "None"]  # fmt: skip
    assert list(interval.get_xdata()) == pytest.approx([21 - 2.484, 21 + 2.484], abs=0.01)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "paper",
        "ours, 95% interval",
        "control",
    ]
    assert axis.get_yticklabels()[0].get_text() == "block5"


def test_controls_are_grey_and_two_seeds_have_no_interval():
    _, axis = drawn({"resnet50 block4": [30, 31], "block7, all rates 1": [20, 22]})
    [control] = marks(axis, "s", INK)
    assert control.get_xdata()[0] == pytest.approx(-9.5)
    [seeds] = marks(axis, ".", INK)
    assert list(seeds.get_xdata()) == pytest.approx([-10, -9])
    assert not marks(axis, "D", VERMILLION)
    assert not [line for line in axis.lines if line.get_linewidth() == 1.6]


def test_some_of_the_findings_can_be_drawn_alone():
    figure = headline_figure([], GROUPS[1:3])
    figure.canvas.draw()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [label for group in GROUPS[1:3] for label in group.rows]


def test_the_figure_is_narrow_enough_for_a_phone():
    figure, _ = drawn({"resnet50 block4": [30]})
    # Shown in 358 pixels, beside margins, letters keep ten of them.
    assert 9.5 / 72 * 358 / figure.get_figwidth() > 10


def test_grid_has_no_marks_where_the_style_gives_every_line_one():
    with matplotlib.rc_context(
        {"axes.prop_cycle": matplotlib.cycler(marker=["o", "s"], linestyle=["-", ":"])}
    ):
        _, axis = drawn({"resnet50 block4": [30, 31, 32], "resnet50 block5": [50, 52, 54]})
    grid = [line for line in axis.lines if line.get_zorder() == 0]
    assert grid
    assert {(line.get_marker(), line.get_linestyle()) for line in grid} == {("None", "-")}
