"""A table as a figure: the paper and ours side by side, every seed, and the interval of the mean.

It needs matplotlib:

    figure = table_figure(EVERY_TABLE["T1"], read(Path("data/results")))
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlv3.ablations.catalogue import rows_at
from dlv3.ablations.results import FEWEST_PAIRS, Difference, Record, difference
from dlv3.ablations.table import Table
from dlv3.figure_style import BLUE, COLOURS, DASHES, INK, MARKERS, STYLE, VERMILLION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Scores = Mapping[str, Sequence[float]]
"""Each row's name, and the scores of its seeds in percent."""
_DEPTH = re.compile(r".+ block\d")


def table_figure(
    table: Table[Any], records: Iterable[Record], preset_name: str = "laptop", score: str | None = None
) -> "Figure":
    """Draw a table, with the paper's numbers on the left and ours on the right, each on a scale of its own.

    Args:
        table: one of `EVERY_TABLE`. Its rows stand below one another; where they are series over depth (Tables 2
            and 3), each series is a line.
        records: of any tables and presets; those of the table and the preset are drawn.
        preset_name: the preset.
        score: "miou" or a group of classes; the table's own when left out.

    Returns:
        A figure, not yet shown. It is transparent, with ink that is readable on light and dark pages. A dot is our
        mean over seeds, a small dot one seed, the bar the mean's 95% interval (Student's t), where there are as many
        seeds as a verdict asks for: an interval from two is longer than the panel. A cross is the score that
        follows from how the pictures are made.

    Raises:
        ValueError: nothing is recorded.
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = rows_at(table, preset_name)
    runs = [r for r in records if (r.table, r.preset) == (table.name, preset_name)]
    if not runs:
        raise ValueError(
            f"table {table.name}: no runs are recorded at preset {preset_name}; run dlv3 ablate {table.name} first"
        )
    score = score or table.score
    names = [row.name for row in rows]
    ours = {name: [run.score(score) for run in runs if run.row == name] for name in names}
    # A row that the paper does not have keeps its line there, so that both panels' lines are the same rows.
    paper = {row.name: [] if row.paper is None else [row.paper] for row in rows}
    paper = paper if any(paper.values()) else {}
    by_depth = all(_DEPTH.fullmatch(name) for name in names)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 3.6 if by_depth else 1.2 + 0.32 * len(rows)))
        panels = figure.subplots(1, 2 if paper else 1, squeeze=False)[0]
        if by_depth:
            _depth_panels(panels, [paper, ours] if paper else [ours])
        else:
            if paper:
                _points(panels[0], paper, BLUE)
                panels[0].set_xlabel("mIOU, %")
            controls = [name for name, values in paper.items() if not values]
            _points(panels[-1], ours, VERMILLION, controls)
            _expected(panels[-1], table, names)
            panels[-1].set_xlabel(f"{_title(score, table)}, %")
            panels[-1].tick_params(labelleft=not paper)
        for panel, title in zip(panels[::-1], (f"ours, preset {preset_name}", "paper"), strict=False):
            panel.set_title(title)
        figure.suptitle(f"{table.name}  {table.title}", color=INK, fontsize=11)
    return figure


def _title(score: str, table: Table[Any]) -> str:
    if score == "miou":
        return "mIOU"
    return f"{score}, mIOU" if table.score == "miou" else score


def _points(axis: "Axes", scores: Scores, hue: str, controls: Sequence[str] = ()) -> None:
    """Draw the dots of each row on a line of its own, the first row on top.

    Controls, which the paper does not have, are grey squares.
    """
    for place, (name, values) in enumerate(scores.items()):
        if not values:
            continue
        mean = difference(values)
        if mean is None:
            continue
        colour, marker = (INK, "s") if name in controls else (hue, "o")
        if mean.pairs >= FEWEST_PAIRS:
            axis.plot([mean.low, mean.high], [place, place], "-", color=colour, linewidth=1.6)
        if mean.pairs > 1:
            axis.plot(values, [place] * len(values), ".", color=INK, markersize=4, alpha=0.7)
        axis.plot(mean.mean, place, marker, color=colour, markersize=6)
        axis.annotate(
            f"{mean.mean:.1f}",
            (mean.mean, place),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axis.set_yticks(range(len(scores)), list(scores))
    axis.set_ylim(len(scores) - 0.5, -0.7)
    axis.margins(x=0.12)


def _expected(axis: "Axes", table: Table[Any], names: Sequence[str]) -> None:
    if table.expected is None:
        return
    values = [table.expected(table.row(name)) for name in names]
    axis.plot(values, range(len(names)), "x", color=BLUE, markersize=8, label="by construction")
    axis.legend(loc="best", fontsize=8)


def _depth_panels(panels: Sequence["Axes"], contents: Sequence[Scores]) -> None:
    for panel, scores in zip(panels, contents, strict=True):
        _lines(panel, scores)
        panel.set_xticks([4, 5, 6, 7], ["block4", "block5", "block6", "block7"])
    panels[0].set_ylabel("mIOU, %")
    panels[0].legend(fontsize=8, loc="lower right")


def _lines(axis: "Axes", scores: Scores) -> None:
    """Draw series over depth; each has its own colour, marker and dash, the same in every panel."""
    series: dict[str, dict[int, Difference]] = {}
    for name, values in scores.items():
        label, _, depth = name.rpartition(" block")
        if values:
            series.setdefault(label, {})[int(depth)] = difference(values)
    for number, (label, by_depth) in enumerate(series.items()):
        means = list(by_depth.values())
        # Each series is shifted a little, so that their bars do not overlap.
        depths = [depth + 0.04 * (number - (len(series) - 1) / 2) for depth in by_depth]
        errors = [mean.high - mean.mean if mean.pairs >= FEWEST_PAIRS else 0.0 for mean in means]
        look = number % len(COLOURS)
        axis.errorbar(
            depths,
            [mean.mean for mean in means],
            errors,
            color=COLOURS[look],
            marker=MARKERS[look],
            linestyle=DASHES[look],
            elinewidth=1,
            label=label,
        )
