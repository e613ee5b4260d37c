"""The chain of gains: the paper's adds up, the recorded one pairs runs of equal seeds, and bars follow each other."""

import matplotlib

matplotlib.use("agg")
import pytest
from made_records import made_record
from matplotlib import pyplot as plt

from dlv3.course.lessons.lesson14_conclusions import waterfall


def test_papers_gains_lead_from_the_plain_network_to_the_entry():
    chain = waterfall.paper_chain()
    gains = waterfall.gains_of(chain)
    assert [round(gain, 2) for gain in gains.values()] == [6.97, 1.22, 0.63, 1.30, 0.94, 0.32, 2.93, 3.0]
    assert chain["plain"] + sum(gains.values()) == pytest.approx(85.7)


def test_recorded_gains_are_over_the_seeds_that_both_rows_have():
    scores = dict(zip(waterfall.CHAIN, (30, 60, 58, 61, 60, 63, 64), strict=True))
    runs = [
        made_record(*waterfall.CHAIN[name], seed, (score + seed) / 100)
        for name, score in scores.items()
        for seed in (0, 1)
    ]
    alone = made_record(*waterfall.CHAIN["ASPP"], 2, 0.99)
    gains = waterfall.recorded_gains([*runs, alone])
    assert [round(gain.mean) for gain in gains.values()] == [30, -2, 3, -1, 3, 1]
    assert {gain.pairs for gain in gains.values()} == {2}
    with pytest.raises(ValueError, match="no two runs of equal seeds"):
        waterfall.recorded_gains(runs[2:])


def test_a_row_that_the_paper_does_not_have_is_refused():
    with pytest.raises(ValueError, match="the paper has no such row"):
        waterfall.paper("T5", "(1, 1, 1), rates 1, 1, 1")


def test_each_bar_begins_where_the_one_before_ended():
    figure = waterfall.waterfall(50.0, {"a": 10.0, "b": -4.0, "c": 1.0}, "title")
    bars = [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == [(50, 10), (60, -4), (56, 1)]
    low, high = figure.axes[0].get_xlim()
    assert low < 50 < 60 < high
    plt.close(figure)
