"""The figures of the lesson: two paths to a wide view, phases, the marker probe's pictures and scores."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from dlv3 import atrous
from dlv3.course.kit.plots import COLOURS, INK, show_image
from dlv3.data.made.markers import DIRECTIONS, Markers


def two_paths(picture: Tensor, narrow: Tensor, answer_a: Tensor, answer_b: Tensor) -> Figure:
    """Draw the map, path A's answers before and after upsampling, and path B's; each (1, 1, H, W)."""
    bound = answer_b.abs().max().item()
    figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), width_ratios=(100, 44, 88, 88))
    show_image(axes[0], picture[0, 0], "the map, 100 × 100", cmap="gray")
    titles = ("A: 44 × 44", "A upsampled, 88 × 88", "B: rate 2, 88 × 88")
    artists = [
        show_image(axis, answer[0, 0], title, vmin=-bound, vmax=bound)
        for axis, answer, title in zip(axes[1:], (narrow, answer_a, answer_b), titles, strict=True)
    ]
    figure.colorbar(artists[-1], ax=axes, label="edge strength (grey levels, 0 to 1)", shrink=0.8)
    figure.suptitle("One 7 × 7 edge filter, two ways to a wide view")
    return figure


def phases(picture: Tensor) -> Figure:
    """Draw a picture (1, 1, H, W) and its four phases at rate 2."""
    figure, axes = plt.subplots(1, 5, figsize=(10, 2.8), width_ratios=(100, 50, 50, 50, 50))
    show_image(axes[0], picture[0, 0], "the photo, 100 × 100", cmap="gray")
    split = atrous.split_phases(picture, rate=2)  # (4, 1, H / 2, W / 2)
    for axis, phase, (i, j) in zip(axes[1:], split, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        show_image(axis, phase[0], f"rows {i}::2,\ncolumns {j}::2", cmap="gray")
    figure.suptitle("Four phases of 50 × 50 samples, dealt out in turn")
    return figure


def disc_and_places(pictures: Markers, distance: int) -> Figure:
    """Draw the first picture, and in it a disc with the places where its marker may be."""
    image, _ = pictures[0]
    disc = pictures.layout(0)[0]
    places = [
        tuple(at + distance * step for at, step in zip(disc.place, steps, strict=True))
        for steps in DIRECTIONS
    ]
    inside = [(y, x) for y, x in places if min(y, x) >= 0 and max(y, x) < image.shape[-1]]
    figure, (plain, marked) = plt.subplots(1, 2, figsize=(7.2, 3.8))
    show_image(plain, image.permute(1, 2, 0), "a picture, 129 × 129 px")
    show_image(marked, image.permute(1, 2, 0), "one disc, and where its marker may be")
    y, x = disc.place
    marked.scatter(x, y, 260, marker="o", facecolors="none", edgecolors=COLOURS[1], linewidths=2)
    for y, x in inside:
        marked.scatter(x, y, 160, marker="s", facecolors="none", edgecolors=COLOURS[1], linewidths=2)
    return figure


def scores_by_rate(scores: Mapping[int, float]) -> Figure:
    """Draw the probe's score against the rate of its atrous layer."""
    figure, axis = plt.subplots()
    axis.plot(list(scores), list(scores.values()), label="score of a probe trained at that rate")
    best = max(scores, key=lambda rate: scores[rate])
    for rate, percent in scores.items():
        side = (rate > best) - (rate < best)
        align = ("center", "left", "right")[side]
        axis.annotate(f"{percent:.0f}", (rate, percent), (4 * side, 7), textcoords="offset points", ha=align)
    axis.axhline(25, color=INK, linestyle=":", marker="", label="guessing, 25%")
    axis.set(xlabel="rate of the one atrous layer", ylabel="disc pixels right (%)", ylim=(0, 112))
    axis.set(title="Same pictures, same weights in number: only the rate differs", xticks=list(scores))
    axis.legend(loc="upper right")
    return figure
