"""The tables' figures show what is recorded: values, intervals, seeds, and nothing that is not there."""

from dataclasses import replace

import matplotlib

matplotlib.use("agg")
import pytest
from made_records import made_records

from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.plots import table_figure
from dlv3.ablations.results import difference
from dlv3.figure_style import INK


@pytest.mark.parametrize("name", EVERY_TABLE)
def test_every_table_has_a_figure(name):
    figure = table_figure(EVERY_TABLE[name], made_records(name))
    figure.canvas.draw()
    papers = any(row.paper is not None for row in EVERY_TABLE[name].rows)
    assert len(figure.axes) == 1 + papers


def test_rows_are_drawn_with_mean_interval_and_seeds():
    figure = table_figure(EVERY_TABLE["T1"], made_records("T1"))
    paper, ours = figure.axes
    assert next(label.get_text() for label in paper.get_yticklabels()) == "output stride 8"
    dots = [line.get_xdata()[0] for line in paper.lines if line.get_marker() == "o"]
    assert dots == [75.18, 73.88, 70.06, 59.99, 42.34, 20.29]
    mean = difference([40.0, 40.3, 41.2])
    interval, seeds, dot = ours.lines[:3]
    assert list(interval.get_xdata()) == pytest.approx([mean.low, mean.high])
    assert list(seeds.get_xdata()) == pytest.approx([40.0, 40.3, 41.2])
    assert dot.get_xdata()[0] == pytest.approx(mean.mean)


def test_series_over_depth_are_lines():
    paper, ours = table_figure(EVERY_TABLE["T3"], made_records("T3")).axes
    labels = [text.get_text() for text in paper.get_legend().get_texts()]
    assert labels == ["(1, 1, 1)", "(1, 2, 1)", "(1, 2, 3)", "(1, 2, 4)", "(2, 2, 2)"]
    assert next(list(container[0].get_ydata()) for container in paper.containers) == [
        68.39,
        73.21,
        75.34,
        75.76,
    ]
    assert len(ours.containers) == 5


def test_another_score_and_rows_that_were_not_run():
    records = [record for record in made_records("T5") if record.row != "(1, 2, 1)"]
    figure = table_figure(EVERY_TABLE["T5"], records, score="shapes")
    assert figure.axes[1].get_xlabel() == "shapes, mIOU, %"
    drawn = {line.get_ydata()[0] for line in figure.axes[1].lines if line.get_marker() == "o"}
    assert drawn == {0, 2, 3, 4, 5}


def test_nothing_recorded_is_said():
    with pytest.raises(ValueError, match="no runs are recorded at preset gpu"):
        table_figure(EVERY_TABLE["T1"], made_records("T1"), "gpu")


def test_controls_stand_on_the_lines_of_both_panels_in_grey():
    records = [replace(record, preset="quarter") for record in made_records("T5")]
    control = replace(records[0], row="(1, 1, 1), rates 1, 1, 1")
    paper, ours = table_figure(EVERY_TABLE["T5"], [*records, control], "quarter").axes
    assert len(paper.get_yticks()) == len(ours.get_yticks())
    labels = [label.get_text() for label in paper.get_yticklabels()]
    [square] = [line for line in ours.lines if line.get_marker() == "s"]
    assert square.get_color() == INK
    assert square.get_ydata()[0] == labels.index("(1, 1, 1), rates 1, 1, 1")


@pytest.mark.parametrize("name", ["T1", "T3"])
def test_two_seeds_have_no_interval(name):
    few = [record for record in made_records(name) if record.seed < 2]
    ours = table_figure(EVERY_TABLE[name], few).axes[1]
    assert ours.containers or ours.lines
    bars = [bar for container in ours.containers for bar in container[2][0].get_segments()]
    assert all(bottom[1] == top[1] for bottom, top in bars)
    assert not [line for line in ours.lines if line.get_linewidth() == 1.6]
