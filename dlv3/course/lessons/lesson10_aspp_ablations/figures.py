"""The figures and the explorer of lesson 10: curves over rates, and what the nine taps of a rate look at."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import Tensor

from dlv3 import atrous
from dlv3.ablations.studies.features import field_of_view
from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import figure_png
from dlv3.course.kit.plots import BLUE, GREEN, INK, ORANGE, VERMILLION, show_image
from dlv3.data.made.scenes import Scenes

Curve = Mapping[int, Sequence[float]]
"""By rate, the scores of the same seeds in the same order."""
STEP = 4
"""Pixels between two samples of the map."""
SEES = 23
"""Pixels along a side that a sample of the map sees."""
UNIT = 64  # layouts count in 1/64 pixels


def means_of(curve: Curve) -> dict[int, float]:
    """Return the mean score of each rate."""
    return {rate: statistics.fmean(scores) for rate, scores in curve.items()}


def over_rates(axis: Axes, rates: Iterable[int], title: str, ylabel: str) -> None:
    """Put a logarithmic axis of rates below a plot."""
    ticks = list(rates)
    axis.set_xscale("log", base=2)
    axis.set_xticks(ticks, [str(rate) for rate in ticks])
    axis.minorticks_off()
    axis.set(title=title, xlabel="rate of the 3×3 layer", ylabel=ylabel)


def windows(axis: Axes, row: float, column: float, rate: int) -> list[Rectangle]:
    """Draw the nine squares that a 3×3 filter of a rate looks at."""
    squares = []
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            y, x = row + STEP * rate * i, column + STEP * rate * j
            colour = ORANGE if i == j == 0 else "white"
            corner = (x - SEES / 2, y - SEES / 2)
            squares.append(Rectangle(corner, SEES, SEES, fill=False, ec=colour, lw=1.6))
            axis.add_patch(squares[-1])
    return squares


def windows_figure(image: Tensor, row: int, column: int, rates: Sequence[int]) -> Figure:
    """Draw a scene (3, H, W) once for each rate, with what the nine taps look at."""
    figure, axes = plt.subplots(1, len(rates), figsize=(9.6, 3.5))
    for axis, rate in zip(axes, rates, strict=True):
        show_image(axis, image.permute(1, 2, 0), f"rate {rate}: {field_of_view(1, STEP, rate)} pixels wide")
        windows(axis, row, column, rate)
    return figure


def live_figure(live: Mapping[int, float]) -> Figure:
    """Draw one training a rate, and the level of the last rate, which is a 1×1 on the map."""
    figure, axis = plt.subplots(figsize=(7.6, 3.4))
    axis.plot(list(live), list(live.values()), color=BLUE, label="one training a rate")
    last = max(live)
    axis.axhline(live[last], color=INK, ls=":", marker="", label=f"rate {last}: a 1×1 on this map")
    over_rates(axis, live, "Your field-of-view curve", "mIOU in %")
    axis.legend()
    return figure


def sizes_figure(curves: Mapping[str, Curve], radii: Mapping[str, str]) -> Figure:
    """Draw a curve for each size of shapes, with a ring around its peak."""
    figure, axis = plt.subplots(figsize=(7.6, 3.6))
    looks = ((ORANGE, "^", "--"), (BLUE, "o", "-"), (GREEN, "s", "-."))
    for (size, curve), (colour, marker, dash) in zip(curves.items(), looks, strict=True):
        means = means_of(curve)
        label = f"{size}: {radii[size]} px"
        axis.plot(list(means), list(means.values()), color=colour, marker=marker, ls=dash, label=label)
        top = max(means, key=lambda rate: means[rate])
        axis.plot(top, means[top], marker="o", ms=15, mfc="none", mec=INK, ls="")
    over_rates(axis, means, "The larger the shape, the larger its best rate", "pixels found, in %")
    axis.legend(title="shapes")
    return figure


def filter_explorer(
    image: Tensor, scenes: Scenes, index: int, found: Mapping[str, Mapping[int, float]]
) -> ImageExplorer:
    """Return an explorer of a filter on a scene: rate and size of the shapes, beside their recorded curve.

    Args:
        image: (3, 129, 129), the scene.
        scenes: its data set.
        index: the scene's number there.
        found: pixels found in percent, by size ("small", "medium", "large") and rate.
    """
    lowest = {"small": 5, "medium": 10, "large": 20}
    drawn = scenes.layout(index).shapes
    shapes = {
        size: next(s for s in drawn if low <= s.radius / UNIT < 2 * low) for size, low in lowest.items()
    }
    places = {size: (s.y / UNIT, s.x / UNIT, s.radius / UNIT) for size, s in shapes.items()}
    rates = list(found["small"])
    drawing = Figure(figsize=(8.2, 3.9))
    left, right = drawing.subplots(1, 2, width_ratios=(1, 1.1))
    show_image(left, image.permute(1, 2, 0), "what the nine taps see")
    left.set(xlim=(-16, 144), ylim=(144, -16), facecolor="#808080")
    squares = windows(left, 0, 0, 1)
    around = Circle((0, 0), 1, fill=False, ec="white", ls=":")
    left.add_patch(around)
    lines = {
        size: right.plot(rates, list(found[size].values()), color=INK, ls=dash, marker="", label=size)[0]
        for size, dash in zip(lowest, ("--", "-", "-."), strict=True)
    }
    over_rates(right, rates, "pixels found, in %", "")
    right.set(ylim=(20, 82))
    right.legend(fontsize=8)
    here = right.axvline(1, color=VERMILLION, ls="--", marker="", lw=1.5)
    (point,) = right.plot([1], [0], "o", ms=9, color=VERMILLION)

    def taps(rate: int, shape: str) -> list[tuple[float, float]]:
        # Around a place half-way from the middle of the shape to its right edge.
        y, x, radius = places[shape]
        steps = (-STEP * rate, 0, STEP * rate)
        return [(y + down, x + radius / 2 + across) for down in steps for across in steps]

    def render(rate: int, shape: str) -> bytes:
        for square, (row, column) in zip(squares, taps(rate, shape), strict=True):
            square.set_xy((column - SEES / 2, row - SEES / 2))
        y, x, radius = places[shape]
        around.set(center=(x, y), radius=radius)
        for size, line in lines.items():
            line.set(lw=2.5 if size == shape else 0.8, color=BLUE if size == shape else INK)
        here.set_xdata([rate, rate])
        point.set_data([rate], [found[shape][rate]])
        right.set_title(f"{shape} shapes: pixels found, in %")
        return figure_png(drawing)

    def says(rate: int, shape: str) -> str:
        y, x, radius = places[shape]
        at = taps(rate, shape)
        on_it = sum(np.hypot(row - y, column - x) < radius for row, column in at)
        outside = sum(not (0 <= row < 129 and 0 <= column < 129) for row, column in at)
        return (
            f"Rate {rate}: taps {STEP * rate} pixels apart; {on_it} of 9 on the shape, {outside} off the picture. "
            f"The recorded heads find {found[shape][rate]:.0f}% of the {shape} shapes' pixels; at the best rate "
            f"{max(found[shape].values()):.0f}%."
        )

    controls = {"rate": Slider("Rate", rates, 4), "shape": Pick("Shapes", list(lowest), "large")}
    return ImageExplorer(render, controls, says=says, title="A filter on a scene, and its curve", width=790)


def falls_figure(curve: Curve, ground: Mapping[int, float], size: int = 33) -> Figure:
    """Draw a curve of outlines and one of far context over the share of positions with an outer weight on the map."""
    over = sorted({*curve, *ground})
    reaching = [100 * (1 - atrous.valid_weight_shares(size, rate)[1]) for rate in over]
    means = means_of(curve)
    figure, axis = plt.subplots(figsize=(7.8, 3.7))
    axis.plot(over, reaching, color=INK, ls=":", marker="", label="positions with an outer weight on the map")
    axis.plot(
        list(ground),
        list(ground.values()),
        color=ORANGE,
        ls="--",
        marker="s",
        label="P4, far context: accuracy",
    )
    axis.plot(list(means), list(means.values()), color=BLUE, ls="-", marker="o", label="S1, outlines: mIOU")
    over_rates(axis, over, f"Two tasks, two causes of the fall (map of {size} × {size})", "%")
    axis.tick_params(axis="x", labelsize=8)
    axis.legend(loc="lower left", fontsize=8)
    return figure


def parallel_figure(rows: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the seeds of heads with one rate and with several."""
    figure, axis = plt.subplots(figsize=(7.8, 3.4))
    for place, (row, scores) in enumerate(rows.items()):
        marker, colour = ("s", ORANGE) if row.startswith("rate ") else ("o", BLUE)
        axis.plot(scores, [place] * len(scores), marker, ms=7, ls="", color=colour, alpha=0.8)
        axis.text(max(scores) + 0.7, place, f"{statistics.fmean(scores):.1f}", va="center", fontsize=9)
    axis.set_yticks(range(len(rows)), list(rows))
    axis.invert_yaxis()
    axis.set(title="One rate (squares) and several (dots), equal weights", xlabel="mIOU in %", xlim=(42, 69))
    axis.grid(False, axis="y")
    return figure
