"""The classes in a mask, and the check that they are classes of the data set."""

from os import PathLike

import numpy as np
import torch

from dlv3.data.errors import DataError
from dlv3.data.palette import IGNORE_INDEX


def labels_in(mask: torch.Tensor) -> frozenset[int]:
    """Return the class indices that occur in a (H, W) uint8 mask, without 255."""
    counts = np.bincount(mask.numpy().ravel(), minlength=256)
    return frozenset(np.flatnonzero(counts[:IGNORE_INDEX]).tolist())


def checked_labels(mask: torch.Tensor, num_classes: int, path: str | PathLike[str]) -> frozenset[int]:
    """Return the class indices in a mask, all of them below `num_classes`.

    Raises:
        DataError: a label is out of range; the file, the label and its pixels are named.
    """
    present = labels_in(mask)
    highest = max(present, default=0)
    if highest >= num_classes:
        pixels = int((mask == highest).sum())
        raise DataError(
            f"{path}: label {highest} in {pixels} pixels; the {num_classes} classes are 0 to {num_classes - 1}, "
            f"and 255 is no label. Ignore {highest}, or raise num_classes"
        )
    return present
