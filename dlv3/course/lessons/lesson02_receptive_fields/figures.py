"""Lesson 02's figures: windows around a spot, places read by a stack, fields layer by layer, bells of paths."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.plots import INK, show_image
from dlv3.data.made.scenes import Scenes
from dlv3.receptive_field import Layer, count_paths, growth

SPOT = (78, 52)  # row and column, in the ninth picture
# The last layer of each part of a ResNet-50: how many layers with a kernel larger than 1×1 lie before it, and itself.
PARTS = {0: "image", 1: "conv1", 2: "pool1", 5: "block1", 9: "block2", 15: "block3", 18: "block4"}


def windows(sides: Sequence[int]) -> Figure:
    """Draw the same spot of a scene through square windows of several sides, in pixels."""
    picture = Scenes("val", scene_cue=False, pictures=9)[8][0].permute(1, 2, 0)  # (129, 129, 3)
    row, column = SPOT
    figure, axes = plt.subplots(1, len(sides), figsize=(9.6, 2.8))
    for axis, side in zip(axes, sides, strict=True):
        half = side // 2
        window = picture[row - half : row + half + 1, column - half : column + half + 1]
        show_image(axis, window, f"{side} × {side} pixels")
    return figure


def paths_in_2d(rates: Sequence[int]) -> Tensor:
    """Count the paths from each pixel of a stack's field to its output: (side, side)."""
    along = count_paths([Layer(3, rate=rate) for rate in rates])
    return along[:, None] * along[None, :]  # the axes are independent


def patterns(stacks: Sequence[tuple[int, ...]]) -> Figure:
    """Draw the fields of stacks as images: brighter where more paths lead, a cross on each hole."""
    figure, axes = plt.subplots(1, len(stacks), figsize=(10, 3.4))
    for axis, rates in zip(axes, stacks, strict=True):
        paths = paths_in_2d(rates)
        side, shown = len(paths), paths.where(paths > 0, torch.nan)
        title = f"rates {rates}: {side} × {side} px,\n{(paths > 0).float().mean():.0%} read"
        show_image(axis, shown.log(), title)
        y, x = (paths == 0).nonzero().T
        axis.scatter(x, y, marker="x", s=9, color=INK, linewidths=0.8)
    return figure


def field_sizes(chain: Sequence[tuple[int, int, int]], *, rates: bool = True) -> list[int]:
    """Return the field's size in the picture and after each layer that is larger than 1×1.

    Args:
        chain: (kernel size, stride, rate) of each layer.
        rates: False leaves every rate at 1.
    """
    larger = [Layer(k, stride, rate if rates else 1) for k, stride, rate in chain if k > 1]
    return [field.size for field in growth(larger)]


def growth_with_and_without_rates(chains: Mapping[int, Sequence[tuple[int, int, int]]]) -> Figure:
    """Draw a ResNet-50's field layer by layer, from its layers by the jump of its last map."""
    full = max(chains)
    curves = {"with rates, whatever the jump": field_sizes(chains[full])}
    for jump in sorted(chains.keys() - {full}, reverse=True):
        curves[f"rates left at 1, last map every {jump} px"] = field_sizes(chains[jump], rates=False)
    figure, axis = plt.subplots(figsize=(8, 3.8))
    for name, curve in curves.items():
        axis.plot(curve, label=f"{name}: {curve[-1]} px", markersize=4)
    axis.set(
        title="ResNet-50: what one sample sees, layer by layer",
        ylabel="receptive field in px",
        xlabel="conv1, pool1 and the 3×3 convolutions of block1 to block4",
    )
    axis.set_xticks(list(PARTS), list(PARTS.values()), rotation=40, ha="right")
    axis.legend()
    return figure


def path_bells(depths: Sequence[int]) -> Figure:
    """Draw the number of paths across the field of plain 3-tap stacks of several depths."""
    figure, axis = plt.subplots(figsize=(7.2, 3.2))
    for depth in depths:
        paths = count_paths([Layer(3)] * depth)
        half = len(paths) // 2
        distance = torch.arange(-half, half + 1)
        label = f"{depth} layers: field {len(paths)} px, deviation {deviation(paths):.1f} px"
        axis.plot(distance / half, paths / paths.max(), label=label, markersize=3)
    axis.set(
        title="Paths from each pixel to the output",
        ylabel="share of the largest",
        ylim=(0, 1.5),
        xlabel="place in the receptive field, from one rim (-1) to the other (1)",
    )
    axis.legend(loc="upper center")
    return figure


def deviation(paths: Tensor) -> float:
    """Return the standard deviation of the places that paths lead to, in pixels."""
    distance = torch.arange(len(paths)) - len(paths) // 2
    return math.sqrt((distance**2 * paths).sum() / paths.sum())
