"""The headline findings as one figure: the paper's steps and ours, with the controls in grey. It needs matplotlib."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dlv3.ablations.headline import Bar, bars_of
from dlv3.ablations.paper.headlines import GROUPS, Group
from dlv3.ablations.results import Record
from dlv3.figure_style import BLUE, INK, STYLE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# Narrow enough that a phone of 390 pixels shows it with letters of 10 pixels and more.
WIDTH = 4.4
LINE_HEIGHT = 0.2
GAP = 0.25
"""Between groups, in lines."""
APART = 0.17
"""The paper's marks stand so much above a row's middle, and ours so much below it."""


def headline_figure(records: Sequence[Record], groups: Sequence[Group] = GROUPS) -> "Figure":
    """Draw how far each row of the headline findings scores above its plain network.

    Args:
        records: those of one preset with the paper's maps and rates.
        groups: what is drawn: all findings of Tables 2, 3 and 5, or some of them.

    Returns:
        A figure, not yet shown. A ring is the paper's number. A diamond is our mean over seeds, or a grey square for a
        control; the bar is its 95% interval, where there are three seeds or more, and a small dot one seed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    drawn = bars_of(records, groups)
    lines = sum(1 + len(bars) for _, bars in drawn)
    with mpl.rc_context({**STYLE, "font.size": 9.5}):
        figure = Figure(figsize=(WIDTH, LINE_HEIGHT * (lines + GAP * len(drawn)) + 0.8))
        axis = figure.subplots()
        places: list[float] = []
        labels: list[str] = []
        spans: list[tuple[float, float]] = []
        line = 0.0
        for group, bars in drawn:
            axis.annotate(
                group.title,
                (0, line),
                xycoords=("figure fraction", "data"),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontweight="bold",
                annotation_clip=False,
            )
            for bar in bars:
                line += 1
                _draw(axis, bar, line)
                places.append(line)
                labels.append(bar.label)
            spans.append((line - len(bars) + 0.5, line + 0.5))
            line += 1 + GAP
        axis.set_yticks(places, labels)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.set_ylim(line - GAP - 0.4, -0.6)
        _grid(axis, spans)
        axis.set_xlabel("difference in mIOU, points")
        figure.legend(
            handles=_legend(),
            loc="outside lower center",
            ncols=3,
            fontsize=9.5,
            handletextpad=0.2,
            columnspacing=1.2,
        )
    return figure


def _grid(axis: "Axes", spans: Iterable[tuple[float, float]]) -> None:
    """Draw the grid behind the rows only, so that no line crosses a group's title."""
    axis.grid(visible=False)
    low, high = axis.get_xlim()
    for tick in axis.get_xticks():
        if low <= tick <= high:
            for top, bottom in spans:
                axis.plot(
                    [tick, tick],
                    [top, bottom],
                    color=INK,
                    alpha=1 if tick == 0 else 0.25,
                    linewidth=1,
                    # The lessons' style goes through markers and dashes.
                    linestyle="-",
                    marker="None",
                    zorder=0,
                )
    axis.set_xlim(low, high)


def _draw(axis: "Axes", bar: Bar, line: float) -> None:
    if bar.paper is not None:
        axis.plot(
            bar.paper,
            line - APART,
            "o",
            color=BLUE,
            markerfacecolor="none",
            markersize=6,
            markeredgewidth=1.6,
        )
    mean = bar.mean
    if mean is None:
        return
    colour, marker = (INK, "s") if bar.control else (VERMILLION, "D")
    place = line if bar.paper is None else line + APART
    if bar.judged:
        axis.plot([mean.low, mean.high], [place, place], "-", color=colour, linewidth=1.6)
    if mean.pairs > 1:
        axis.plot(bar.values, [place] * mean.pairs, ".", color=INK, markersize=4, alpha=0.7)
    axis.plot(mean.mean, place, marker, color=colour, markersize=5.5)


def _legend() -> list["Line2D"]:
    from matplotlib.lines import Line2D

    ring = Line2D([], [], color=BLUE, marker="o", markerfacecolor="none", markeredgewidth=1.6, linestyle="")
    ours = Line2D([], [], color=VERMILLION, marker="D", markersize=5.5)
    control = Line2D([], [], color=INK, marker="s", markersize=5.5)
    for handle, label in ((ring, "paper"), (ours, "ours, 95% interval"), (control, "control")):
        handle.set_label(label)
    return [ring, ours, control]
