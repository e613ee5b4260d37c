"""The scoreboard's differences and verdicts are those of the results' own report."""

import matplotlib

matplotlib.use("agg")
import pytest
from made_records import made_record
from matplotlib import pyplot as plt
from matplotlib.text import Text

from dlv3 import assets
from dlv3.ablations.report import claims_by_table
from dlv3.ablations.results import read
from dlv3.course.lessons.lesson14_conclusions import scoreboard


@pytest.fixture(scope="module")
def records():
    return read(assets.records())


@pytest.mark.parametrize(("preset", "kinds"), [("quarter", "T"), ("laptop", "T"), ("laptop", "P")])
def test_verdicts_are_those_of_the_report(records, preset, kinds):
    lines = [
        (name, claim[0].removesuffix(" (resnet50)"), claim[-1])
        for name, claims in claims_by_table(records, preset).items()
        for claim in claims
        if name[0] in kinds and claim[-1] != "not run"
    ]
    board = scoreboard.judged(records, preset, kinds=kinds)
    assert [(claim.table, claim.text, claim.found.verdict) for claim in board] == lines
    assert scoreboard.counted(board).startswith(f"{len(lines)} claims: ")


def test_claims_on_photos_are_those_whose_rows_were_run():
    board = scoreboard.judged(read(assets.records() / "folder-camvid"), "quarter", photos=True)
    assert {claim.table for claim in board} == {"T2", "T5"}
    assert len(board) == 4


def test_only_seeds_that_both_rows_have_are_compared():
    runs = [made_record("T9", "batch 16", seed, 0.7) for seed in (0, 1)]
    runs.append(made_record("T9", "batch 4", 1, 0.5))
    (claim,) = scoreboard.judged(runs, "laptop")
    assert claim.text == "a batch of 16 beats 4"
    assert claim.values == pytest.approx((20.0,))
    assert claim.paper == pytest.approx(77.21 - 64.43)


def test_figures_have_a_mark_for_each_claim(records):
    board = scoreboard.judged(records, "quarter")
    figure = scoreboard.marks_figure({"one": board, "two": board[:3]})
    # Besides the claims' marks the first panel holds the legend's.
    assert [len(axis.lines) for axis in figure.axes] == [len(board) + 4, 3]
    plt.close(figure)
    forest = scoreboard.forest_figure(board[:3])
    assert [label.get_text() for label in forest.axes[0].get_yticklabels()] == [
        f"{claim.table}  {claim.text}" for claim in board[:3]
    ]
    plt.close(forest)


def test_forests_title_is_not_cut_off(records):
    forest = scoreboard.forest_figure(scoreboard.judged(records, "quarter"))
    forest.canvas.draw()
    axis = forest.axes[0]
    (title,) = (
        text for text in axis.get_children() if isinstance(text, Text) and "diamonds" in text.get_text()
    )
    assert title.get_window_extent().x1 <= forest.bbox.x1
    plt.close(forest)
