"""Pictures of block7's features in lesson 04: one mixture of their channels, at any output stride."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import cividis, png
from dlv3.course.kit.plots import show_image
from dlv3.data.made.outline import Outline

STRIDES = (8, 16, 32, 64, 128, 256)
FINEST = STRIDES[0]


def main_direction(features: Tensor) -> Tensor:
    """Return the mixture of channels that varies most from sample to sample.

    Args:
        features: (C, h, w).

    Returns:
        (C,) weights.
    """
    samples = features.flatten(1).T  # (h*w, C)
    direction: Tensor = torch.linalg.eigh(torch.cov(samples.T)).eigenvectors[:, -1]
    return direction * direction.sum().sign()


def mixed(features: Tensor, direction: Tensor) -> Tensor:
    """Return (h, w) values of a mixture of (C, h, w) features."""
    return torch.einsum("chw,c->hw", features, direction)


def maps_figure(picture: Tensor, maps: Mapping[int, Tensor]) -> Figure:
    """Draw a picture and its features at several output strides, in the same colours.

    Args:
        picture: uint8 (3, H, W).
        maps: (C, h, w) features by output stride, the finest first.
    """
    finest = next(iter(maps.values()))
    direction = main_direction(finest)
    values = {stride: mixed(features, direction) for stride, features in maps.items()}
    low, high = (float(bound) for bound in mixed(finest, direction).aminmax())
    figure, axes = plt.subplots(1, 1 + len(maps), figsize=(10, 2.9))
    show_image(axes[0], picture.permute(1, 2, 0), f"the scene, {picture.shape[1]} × {picture.shape[2]}")
    for axis, (stride, shown) in zip(axes[1:], values.items(), strict=True):
        show_image(axis, shown, f"block7 at output stride {stride}", vmin=low, vmax=high)
    return figure


def features_explorer(
    pictures: Sequence[Tensor], finest: Mapping[int, Tensor], direction: Tensor
) -> ImageExplorer:
    """Show a scene with the samples of a map as white squares, beside block7's features at these samples.

    Args:
        pictures: uint8 (3, side, side) scenes.
        finest: (C, h, w) features at output stride 8 of some of them, by their number: every coarser map is in these.
        direction: (C,) the mixture of channels to show.
    """
    values = {scene: mixed(features, direction) for scene, features in finest.items()}
    size = pictures[0].shape[1]

    def samples(output_stride: int) -> int:
        return len(range(0, size, output_stride))

    def render(output_stride: int, scene: int) -> bytes:
        left = pictures[scene].permute(1, 2, 0).clone()
        for row in range(0, size, output_stride):
            for column in range(0, size, output_stride):
                left[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = 255
        step, shown = output_stride // FINEST, values[scene]
        # Each pixel shows the sample nearest to it.
        nearest = torch.arange(size).div(output_stride).round().long()
        low, high = (float(bound) for bound in shown.aminmax())
        right = torch.as_tensor(cividis(shown[::step, ::step][nearest][:, nearest].numpy(), low, high))
        gap = torch.full((size, 12, 3), 119, dtype=torch.uint8)
        return png(torch.cat([left, gap, right], dim=1).numpy())

    def describe(output_stride: int, scene: int) -> str:
        side = samples(output_stride)
        return (
            f"Scene {scene} at output stride {output_stride}: block7 gives {side} × {side} samples, "
            f"{side**2:,} of the {samples(FINEST) ** 2:,} at output stride {FINEST}."
        )

    controls = {
        "output_stride": Slider("Output stride", STRIDES, 64),
        "scene": Pick("Scene", tuple(finest)),
    }
    title = "block7's features, and where they were taken"
    return ImageExplorer(render, controls, says=describe, width=692, title=title)


def world_figure(indices: Sequence[int] = (0, 1, 2, 3)) -> Figure:
    """Draw validation pictures of the quarter-scale world, each with its objects' classes in the title."""
    data = Outline("val", pictures=max(indices) + 1)
    figure, axes = plt.subplots(1, len(indices), figsize=(2.3 * len(indices), 2.6), squeeze=False)
    for axis, index in zip(axes[0], indices, strict=True):
        image, mask = data[index]
        names = [data.classes[int(label)] for label in mask.unique() if label]
        show_image(axis, image.permute(1, 2, 0), ", ".join(names))
    return figure
