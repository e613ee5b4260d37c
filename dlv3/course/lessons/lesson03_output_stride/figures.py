"""Lesson 03's figures: samples on a scene, the truth that they pass on, wirings, Table 1 beside our numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.pictures import png
from dlv3.course.kit.plots import BLUE, INK, ORANGE, show_image
from dlv3.data.made.scenes import Scenes
from dlv3.data.palette import colourise

# Table 1: mIOU in % of a ResNet-50 with seven blocks on VOC 2012, by output stride; pictures of 513 pixels.
TABLE_1 = {8: 75.18, 16: 73.88, 32: 70.06, 64: 59.99, 128: 42.34, 256: 20.29}
PAPER_SIDE, OUR_SIDE = 513, 129


def samples(side: int, stride: int) -> int:
    """Return the samples along a side of a picture."""
    return len(range(0, side, stride))


def grids(picture: Tensor, strides: Sequence[int]) -> Figure:
    """Draw a scene, (3, H, W), once for each stride, with a dot on every sample."""
    figure, axes = plt.subplots(1, len(strides), figsize=(9, 3.4))
    for axis, stride in zip(axes, strides, strict=True):
        places = torch.arange(0, picture.shape[-1], stride)
        title = f"output stride {stride}: {len(places)} × {len(places)} samples"
        show_image(axis, picture.permute(1, 2, 0), title)
        x, y = torch.meshgrid(places, places, indexing="xy")
        axis.scatter(x, y, s=14, color="white", edgecolors="black", linewidths=0.8, clip_on=False)
    return figure


def side_by_side(picture: Tensor, labels: Tensor, stride: int, palette: np.ndarray) -> bytes:
    """Draw a scene, (3, H, W), with its samples in white, and labels in colours to its right."""
    left = picture.permute(1, 2, 0).clone().numpy()
    left[::stride, ::stride] = 255
    gap = np.full((left.shape[0], 4, 3), 119, np.uint8)
    return png(np.concatenate([left, gap, colourise(labels, palette)], axis=1), scale=2)


def truth_beside_table_1(ours: Mapping[int, float]) -> Figure:
    """Draw mIOU by the samples along a side: the true labels by stride, and the paper's network by output stride."""
    sides = [samples(PAPER_SIDE, stride) for stride in TABLE_1]
    figure, axis = plt.subplots()
    axis.plot(
        [samples(OUR_SIDE, s) for s in ours], list(ours.values()), label="scenes: the true labels, sampled"
    )
    axis.plot(sides, list(TABLE_1.values()), label="VOC 2012: the paper's ResNet-50, Table 1")
    axis.set(
        xscale="log",
        title="What is left when the map shrinks",
        ylabel="mIOU in %",
        ylim=(0, 100),
        xlabel="samples along a side of the last map (output stride 8 … 256 in the paper)",
    )
    axis.set_xticks(sides, [str(side) for side in sides])
    axis.minorticks_off()
    axis.invert_xaxis()
    axis.legend()
    return figure


def wirings() -> Figure:
    """Draw what one output of two convolutions reads: strided, dense with rate 2, and dense without a rate."""
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.6))
    _wiring(axes[0], "strided: $w_1$ stride 2, $w_2$ rate 1", step=2, reach=2)
    _wiring(axes[1], "dense: no stride, $w_2$ rate 2", step=1, reach=2)
    _wiring(axes[2], "wrong: no stride, $w_2$ rate 1", step=1, reach=1)
    return figure


def _wiring(axis: Axes, title: str, *, step: int, reach: int) -> None:
    """Draw three rows of samples, and what the output above pixel 4 reads; `reach` is in pixels."""
    for tap in (-reach, 0, reach):
        axis.plot([4 + tap, 4], [1, 2], "-", marker="", color=BLUE, lw=2.4)
        for inner in (-1, 0, 1):
            axis.plot([4 + tap + inner, 4 + tap], [0, 1], "--", marker="", color=ORANGE)
    for height, places in ((0, range(9)), (1, range(0, 9, step)), (2, range(0, 9, step))):
        axis.plot(places, [height] * len(places), "o", ms=9, color=INK, ls="")
    axis.set(title=title, xlabel="pixel", ylim=(-0.3, 2.3))
    axis.set_yticks((0, 1, 2), ("x", "y", "z"))
    axis.grid(False)


def panels(scenes: Scenes, place: int, labels: Mapping[str, Tensor]) -> Figure:
    """Draw a scene and several labellings of it in colours, each under its name."""
    figure, axes = plt.subplots(1, 1 + len(labels), figsize=(10, 2.9))
    show_image(axes[0], scenes[place][0].permute(1, 2, 0), f"the scene, {OUR_SIDE} × {OUR_SIDE}")
    for axis, (title, labelling) in zip(axes[1:], labels.items(), strict=True):
        show_image(axis, colourise(labelling, scenes.palette), title)
    return figure
