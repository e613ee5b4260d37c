"""The bands along the outlines, looked at: scores inside them as lines, and mistakes in an explorer."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from torch import Tensor

from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import png
from dlv3.course.kit.plots import BLUE, GREEN, SKY, VERMILLION
from dlv3.course.lessons.lesson14_conclusions.boundaries import boundary_band
from dlv3.data.palette import colourise
from dlv3.evaluation import ConfusionMatrix

Pixels = npt.NDArray[np.uint8]
WIDTHS = range(1, 8)
"""Of the bands, in pixels."""
IGNORE = 255


def in_bands(prediction: Tensor, masks: Tensor, num_classes: int) -> list[float]:
    """Return the mIOU in percent inside the band of each width, from (N, H, W) labels."""
    scores = []
    for width in WIDTHS:
        counts = ConfusionMatrix(num_classes)
        counts.update(prediction, torch.where(boundary_band(masks, width), masks, IGNORE))
        scores.append(100 * counts.miou())
    return scores


def draw_bands(axis: Axes, scores: Mapping[str, Sequence[float]]) -> None:
    """Draw lines of scores inside the bands over the bands' width."""
    for (name, values), colour in zip(scores.items(), (BLUE, VERMILLION, SKY, GREEN), strict=False):
        axis.plot(WIDTHS, values, color=colour, label=name)
    axis.set(title="Scored in the band alone", xlabel="width of the band in px", ylabel="mIOU in %")
    axis.legend(fontsize=8)


def trimap_explorer(
    pictures: Tensor, masks: Tensor, predictions: Mapping[int, Tensor], palette: Pixels, count: int = 12
) -> ImageExplorer:
    """Return an explorer of the mistakes inside and outside the band.

    Args:
        pictures: (N, 3, H, W), colours from 0 to 255.
        masks: (N, H, W), the true classes.
        predictions: by output stride, (N, H, W).
        palette: (C, 3), the classes' colours.
        count: how many pictures it offers.
    """
    masks = masks[:count]
    bands = {width: boundary_band(masks, width) for width in WIDTHS}
    wrong = {stride: each[:count] != masks for stride, each in predictions.items()}
    checks = (np.indices(masks.shape[1:]).sum(0) // 2 % 2).astype(bool)

    def render(output_stride: int, width: int, scene: int) -> bytes:
        band, missed = bands[width][scene].numpy(), wrong[output_stride][scene].numpy()
        panel = np.full((*missed.shape, 3), 34, np.uint8)
        panel[band] = 105
        panel[band & missed] = (230, 159, 0)
        panel[~band & missed] = 255
        panel[~band & missed & checks] = 0
        gap = np.full((missed.shape[0], 4, 3), 119, np.uint8)
        picture = pictures[scene].byte().permute(1, 2, 0).numpy()
        answer = colourise(predictions[output_stride][scene], palette)
        return png(np.concatenate([picture, gap, answer, gap, panel], axis=1), scale=2)

    def says(output_stride: int, width: int, scene: int) -> str:
        band, missed = bands[width][scene], wrong[output_stride][scene]
        held = (missed & band).sum().item() / max(missed.sum().item(), 1)
        return (
            f"Output stride {output_stride}: {missed.float().mean():.1%} of the pixels are wrong. The band of "
            f"{width} px is {band.float().mean():.0%} of the picture and holds {held:.0%} of the mistakes."
        )

    controls = {
        "output_stride": Pick("Output stride", tuple(predictions)),
        "width": Slider("Band, px", WIDTHS, 2),
        "scene": Slider("Scene", range(count), 3),
    }
    title = "Scene | prediction | mistakes: inside the band orange, outside it checked"
    return ImageExplorer(render, controls, says=says, width=790, title=title)
