"""What a network says of a few scenes in every way of asking, and the figure of ways and prices."""

from collections.abc import Collection, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import png
from dlv3.course.kit.plots import BLUE, ORANGE
from dlv3.data.made.scenes import Scenes
from dlv3.data.palette import colourise
from dlv3.data.transforms import EvalTransform
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import predict_probabilities

Labels = npt.NDArray[np.int64]
STRIDES = (32, 16, 8, 4)


def view_explorer(
    model: DeepLabV3, scenes: Scenes, shown: Sequence[int], scales: Sequence[float]
) -> ImageExplorer:
    """Return an explorer of output stride, scale and mirror image on a few scenes; the model is left as it was.

    Args:
        model: in evaluation mode.
        scenes: where the pictures are from.
        shown: which of them.
        scales: that it offers, and all of them together.
    """
    images = torch.stack([EvalTransform()(*scenes[i])[0] for i in shown])
    answers: dict[tuple[int, float, bool], Tensor] = {}
    before = model.output_stride
    for stride in STRIDES:
        model.set_output_stride(stride)
        for scale, mirror in product(scales, (False, True)):
            answers[stride, scale, mirror] = predict_probabilities(model, images, (scale,), mirror).half()
    model.set_output_stride(before)
    pictures = [(scenes[i][0].permute(1, 2, 0).numpy(), scenes[i][1].numpy()) for i in shown]
    checks = np.indices(pictures[0][1].shape).sum(0) // 2 % 2 == 1

    def labels(output_stride: int, scale: str, mirror: str, scene: int) -> Labels:
        asked = scales if scale == "all six" else (float(scale),)
        votes = torch.stack([answers[output_stride, s, mirror == "yes"][scene].float() for s in asked])
        said: Labels = votes.sum(0).argmax(0).numpy()
        return said

    def render(output_stride: int, scale: str, mirror: str, scene: int) -> bytes:
        (picture, truth), said = pictures[scene], labels(output_stride, scale, mirror, scene)
        wrong = np.full(picture.shape, 34, np.uint8)
        wrong[said != truth] = (230, 159, 0)
        wrong[(said != truth) & checks] = 255
        gap = np.full((picture.shape[0], 4, 3), 119, np.uint8)
        panels = [picture, gap, colourise(said, scenes.palette), gap, wrong]
        return png(np.concatenate(panels, axis=1), scale=2)

    def says(output_stride: int, scale: str, mirror: str, scene: int) -> str:
        wrong = (labels(output_stride, scale, mirror, scene) != pictures[scene][1]).mean()
        asked = "all six scales" if scale == "all six" else f"scale {scale}"
        with_mirror = ", with the mirror image" if mirror == "yes" else ""
        return f"Output stride {output_stride}, {asked}{with_mirror}: {wrong:.1%} of the pixels are wrong."

    controls = {
        "output_stride": Slider("Output stride", STRIDES, 16),
        "scale": Pick("Scale", ("1", *(f"{s:g}" for s in scales if s != 1), "all six")),
        "mirror": Pick("Mirror image too", ("no", "yes")),
        "scene": Slider("Scene", range(len(shown))),
    }
    title = "Scene | prediction | mistakes, orange and white checks"
    return ImageExplorer(render, controls, says=says, width=790, title=title)


def front_figure(ways: Mapping[str, tuple[float, float]], front: Collection[str]) -> Figure:
    """Return the ways of asking as a figure: score over price, those of the front as circles on a line.

    Args:
        ways: for each name its price in billion multiply-adds, and its score in percent.
        front: the names of the ways that no other beats, from cheap to expensive.
    """
    figure, axis = plt.subplots(figsize=(8.2, 3.8))
    axis.plot(*zip(*(ways[name] for name in front), strict=True), "-", color=BLUE, marker="")
    for name, (price, percent) in ways.items():
        kept = name in front
        axis.plot(price, percent, "o" if kept else "x", color=BLUE if kept else ORANGE, ms=7)
        place = (6, -11 if kept else 5)
        axis.annotate(name, (price, percent), xytext=place, textcoords="offset points", fontsize=8)
    axis.set_xscale("log")
    lowest = min(percent for _, percent in ways.values())
    axis.set(
        title="Ways to ask the same weights: circles are worth their price, crosses are beaten",
        xlabel="billion multiply-adds a scene",
        ylabel="mIOU in %",
        xlim=(0.03, 5),
        ylim=(lowest - 1.5, None),
    )
    return figure
