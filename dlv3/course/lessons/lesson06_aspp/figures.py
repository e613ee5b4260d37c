"""Lesson 06's figures. Each says in words what it shows, and refuses numbers that its words do not fit."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from matplotlib import pyplot as plt

from dlv3 import atrous
from dlv3.ablations.headline import bars_of, in_words
from dlv3.ablations.headline_plot import headline_figure
from dlv3.ablations.paper.headlines import GROUPS
from dlv3.ablations.results import Record
from dlv3.course.kit.plots import BLUE, INK, ORANGE, VERMILLION, show, show_image
from dlv3.data.made.markers import Markers

CHANCE = 25
"""Four colours of markers, or of grounds: accuracy in percent."""
SIDE = 33
"""Of the probes' map, and of the paper's at output stride 16."""

Scores = tuple[float, float, float]
"""mIOU, mean IOU of the discs, mean IOU of the other shapes; in percent."""


def arrows(tasks: Mapping[str, Markers], pictures: Sequence[int]) -> None:
    """Draw a picture of each task, with an arrow from each disc to the marker that tells its class."""
    figure, axes = plt.subplots(1, len(tasks), figsize=(3.3 * len(tasks), 3.5))
    for axis, (title, task), index in zip(axes, tasks.items(), pictures, strict=True):
        show_image(axis, task[index][0].permute(1, 2, 0), title)
        for disc in task.layout(index):
            (row, column), (to_row, to_column) = disc.place, disc.marker
            looks = {"arrowstyle": "->", "color": "white", "lw": 1.3}
            axis.annotate("", (to_column, to_row), (column, row), arrowprops=looks)
    show(
        figure,
        "Two grey pictures with pale discs and small coloured dots; an arrow leads from each disc to its "
        "marker. On the left the arrows have three lengths, and discs with longer arrows are darker. On the "
        "right all arrows lead to the one marker of the picture.",
    )


def mixed(alone: float, together: float) -> None:
    """Draw the two networks on markers at three distances."""
    assert 42 < alone < 56
    assert together > 68
    _bars(
        "Markers at three distances",
        {"rate 10": alone, "rates 4, 10, 18": together},
        "Two bars: rate 10 alone near 50%, rates 4, 10 and 18 together well above it.",
    )


def anywhere(by_rates: float, by_pooling: float, longer: Mapping[str, Sequence[float]]) -> None:
    """Draw the two networks on one marker anywhere; `longer` are the recorded accuracies of P3."""
    assert by_rates < 45
    assert by_pooling > by_rates + 25
    assert max(longer["rates 4, 10, 18"]) < 50 < 95 < min(longer["rate 1, image pooling"])
    _bars(
        "One marker, anywhere",
        {"rates 4, 10, 18": by_rates, "image pooling alone": by_pooling},
        "Two bars: rates 4, 10, 18 a little above chance, image pooling alone far higher.",
    )


def _bars(title: str, percents: Mapping[str, float], words: str) -> None:
    figure, axis = plt.subplots(figsize=(7.2, 0.9 + 0.42 * len(percents)))
    drawn = axis.barh(list(percents), list(percents.values()), color=BLUE, height=0.62)
    axis.bar_label(drawn, fmt="%.0f%%", color=INK, padding=3)
    axis.axvline(CHANCE, color=INK, ls=":", marker="", label="chance")
    axis.set(title=title, xlabel="accuracy over disc pixels in %", xlim=(0, 108))
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    axis.legend(loc="lower right", bbox_to_anchor=(1, 1))
    show(figure, words)


def strip(scores: Mapping[str, Sequence[float]]) -> None:
    """Draw every recorded training of probe P2 as a dot."""
    single = [row for row in scores if row.startswith("rate ")]
    assert len(single) == 4
    assert all(len(scores[row]) >= 3 for row in scores)
    assert min(scores["rates 4, 10, 18"]) > 95 > 85 > max(scores["rates 1, 10, 18"])
    assert min(scores["rates 1, 10, 18"]) > 70 > 58 > max(max(scores[row]) for row in single)
    order = ["rate 1", "rate 4", "rate 10", "rate 18", "rates 1, 10, 18", "rates 4, 10, 18"]
    figure, axis = plt.subplots(figsize=(7.6, 3.2))
    for told in range(4):
        share = 100 * (told + (3 - told) / 4) / 3
        axis.vlines(share, -0.5, 5.35, color=INK, ls="--", lw=1)
        axis.text(share, 5.45, f"{told} told", color=INK, ha="center", fontsize=9)
    for height, row in enumerate(order):
        axis.plot(scores[row], [height] * len(scores[row]), "o", ms=7, ls="", color=BLUE, alpha=0.7)
    axis.set_yticks(range(6), order)
    axis.set(xlim=(20, 104), ylim=(-0.5, 5.9), xlabel="accuracy over disc pixels in %")
    axis.set_title("Markers at three distances, equal parameters", pad=12)
    axis.grid(False)
    show(
        figure,
        "A strip of dots for each set of rates. Rate 1 lies a little above chance, rates 4, 10 and 18 at 50%, "
        "rates 1, 10, 18 near 75%, and rates 4, 10, 18 close to 100%.",
    )


def fig4(shares_of: Callable[[int, int], Mapping[int, float]]) -> None:
    """Draw the paper's Fig. 4, with the curves of 6 and 2 valid weights that it leaves out."""
    rates = np.arange(1, 81)
    curves = {
        weights: [100 * shares_of(65, int(rate)).get(weights, 0) for rate in rates]
        for weights in (9, 6, 4, 2, 1)
    }
    assert curves[9][32 - 1] > 0 == curves[9][33 - 1]  # the last rate with nine valid weights anywhere is 32
    assert max(curves[4]) > 90
    assert all(abs(curves[1][rate - 1] - 100) < 1e-6 for rate in (65, 70, 80))
    assert abs(max(curves[6]) - 50) < 0.1
    assert abs(max(curves[2]) - 50) < 0.1
    figure, axis = plt.subplots()
    for weights, curve in curves.items():
        axis.plot(rates, curve, markevery=8, label=f"{weights} valid")
    axis.set(title="Fig. 4: a 3×3 filter on a map of 65 × 65", xlabel="rate", ylabel="% of positions")
    axis.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    show(
        figure,
        "Five curves over the rate. 9 valid falls from almost all to nothing at 33. 6 valid peaks at 50% near "
        "rate 16, 4 valid at almost all near 32, 2 valid at 50% near 49. 1 valid rises from 33 on to all at 65.",
    )


def ground(scores: Mapping[str, Sequence[float]]) -> None:
    """Draw the recorded accuracies of probe P4 beside the positions that still have an outer weight on the map."""
    assert min(scores["rate 16"]) > 98
    assert max(scores["rate 33"]) < 32
    levels = [np.mean(scores[f"rate {rate}"]) for rate in (16, 20, 24, 28, 33)]
    assert all(a > b + 1 for a, b in pairwise(levels))
    steps = np.arange(1, 37)
    left = [100 * (1 - atrous.valid_weight_shares(SIDE, int(rate))[1]) for rate in steps]
    figure, axis = plt.subplots()
    axis.plot(steps, left, color=ORANGE, marker="", label="positions with a valid outer weight")
    for row, values in scores.items():
        axis.plot([int(row.split()[1])] * len(values), values, "o", ls="", color=BLUE, alpha=0.7)
    axis.plot([], [], "o", ls="", color=BLUE, label="accuracy, one dot a training")
    axis.axhline(CHANCE, color=INK, ls=":", marker="", label="chance")
    axis.set(title="A map of 33 × 33: fewer valid weights, fewer right answers", xlabel="rate", ylabel="%")
    axis.legend(loc="center left", bbox_to_anchor=(0, 0.58))
    show(
        figure,
        "A line of the positions that have a valid outer weight: 100% up to rate 16, falling to 0 at 33. Dots "
        "of accuracy lie at chance for rate 1, which is too short, at 100% for rate 16, and then fall with the "
        "line, back to chance at rate 33.",
    )


def table5(records: Sequence[Record]) -> None:
    """Draw the rows of Table 5 as points above a plain classifier: the paper's, and the recorded ones."""
    [(group, bars)] = bars_of(records, GROUPS[-1:])
    assert group.table == "T5"
    gains = {bar.label: bar.mean.mean for bar in bars if bar.mean is not None}
    control = next(bar.label for bar in bars if bar.control)
    assert 0 < gains.pop(control) < 0.5 * min(gains.values())
    show(headline_figure(records, [group]), in_words(records, [group]))


def ablation(names: Sequence[str], scores: Mapping[str, Scores]) -> None:
    """Draw what each branch of the trained network costs when it is set to zero."""
    whole, discs, others = ([scores["none"][i] - scores[name][i] for name in names] for i in range(3))
    one, two, four, six, pooling = whole
    assert pooling == max(whole)
    assert min(pooling, one) > 10
    assert 3 < two < 8
    assert max(four, six) < 2
    assert abs(others[-1]) < 2
    assert discs[-1] > 50
    figure, axis = plt.subplots(figsize=(7.6, 3.2))
    width, places = 0.38, np.arange(len(names))
    looks = (("sun, coin", discs, VERMILLION, "//"), ("other shapes", others, BLUE, ""))
    for shift, (label, lost, colour, hatch) in enumerate(looks):
        at = places + (shift - 0.5) * width
        bars = axis.bar(at, lost, width, label=label, color=colour, hatch=hatch, edgecolor="white")
        axis.bar_label(bars, [f"{round(points)}" for points in lost], color=INK, padding=2)
    axis.set_xticks(places, names)
    axis.set(title="What is lost without a branch", xlabel="branch set to zero", ylim=(-4, 70))
    axis.set_ylabel("points of IOU")
    axis.legend()
    axis.grid(False, axis="x")
    show(
        figure,
        "Two bars for each branch. The 1×1 costs the other shapes most and the discs a few points; rate 2 costs "
        "both a few points; rates 4 and 6 next to nothing; image pooling costs the discs about 60 points and the "
        "other shapes nothing.",
    )
