"""A contact sheet: pictures of a data set in rows, each row above its labels in colour."""

import numpy as np
import torch

from dlv3.data import SegmentationDataset
from dlv3.data.palette import colourise


def contact_sheet(
    dataset: SegmentationDataset, *, columns: int = 8, rows: int = 2, gap: int = 4
) -> np.ndarray:
    """Return the first pictures of a data set, all of one size, with their labels.

    Args:
        dataset: any data set of `dlv3.data` whose pictures have one size.
        columns: pictures in a row.
        rows: rows of pictures; each is followed by a row of labels.
        gap: white pixels between them.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    lines = []
    for row in range(rows):
        pairs = [dataset[row * columns + column] for column in range(columns)]
        lines.append([image.as_subclass(torch.Tensor).permute(1, 2, 0).numpy() for image, _ in pairs])
        lines.append([colourise(mask.as_subclass(torch.Tensor), dataset.palette) for _, mask in pairs])
    height, width, _ = lines[0][0].shape
    sheet = np.full((len(lines) * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for y, line in enumerate(lines):
        for x, tile in enumerate(line):
            top, left = y * (height + gap), x * (width + gap)
            sheet[top : top + height, left : left + width] = tile
    return sheet
