"""A picture of predictions during a training: picture, labels and prediction side by side."""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from dlv3.data import SegmentationDataset
from dlv3.data.palette import as_rgb, colourise
from dlv3.data.transforms import EvalTransform
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import predict_labels
from dlv3.files import write_with

_GAP = 4  # pixels between the tiles
Tile = NDArray[np.uint8]  # (H, W, 3)


def save_predictions(
    model: DeepLabV3, dataset: SegmentationDataset, path: Path, *, pictures: int = 4
) -> None:
    """Write one PNG with a row for each of the first few pictures: picture, labels, prediction.

    Args:
        model: on any device.
        dataset: of (image, mask), with a palette.
        path: the file; its folder is made.
        pictures: rows at most.
    """
    transform, rows = EvalTransform(), []
    device = next(model.parameters()).device
    for index in range(min(pictures, len(dataset))):
        image, mask = dataset[index]
        images, _ = transform(image)
        prediction = predict_labels(model, images[None].to(device))[0].to("cpu", torch.uint8)  # (H, W)
        photo = as_rgb(np.asarray(image).transpose(1, 2, 0))  # (H, W, 3)
        labels = colourise(np.asarray(mask), dataset.palette)
        rows.append([photo, labels, colourise(prediction, dataset.palette)])
    path.parent.mkdir(exist_ok=True)
    write_with(path, partial(_grid(rows).save, format="PNG"))


def _grid(rows: list[list[Tile]]) -> Image.Image:
    """Put tiles, all of one size within a row, on white."""
    width = max(sum(tile.shape[1] + _GAP for tile in row) for row in rows) - _GAP
    height = sum(row[0].shape[0] + _GAP for row in rows) - _GAP
    grid = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for tile in row:
            grid.paste(Image.fromarray(tile), (left, top))
            left += tile.shape[1] + _GAP
        top += row[0].shape[0] + _GAP
    return grid
