"""The classes in a mask, and the check that they are classes of the data set."""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import torch
from numpy.typing import NDArray

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
    counts = np.bincount(mask.numpy().ravel(), minlength=256)
    require_classes(counts[None], num_classes, [path])
    return frozenset(np.flatnonzero(counts[:IGNORE_INDEX]).tolist())


def require_classes(
    counts: NDArray[np.int64], num_classes: int, paths: Sequence[str | PathLike[str]]
) -> None:
    """Check that all labels are below `num_classes`, or 255.

    Args:
        counts: pixels of each value in each mask, (masks, 256).
        num_classes: of the data set.
        paths: of the masks.

    Raises:
        DataError: a label is out of range; the first file with one, its highest label and its pixels are named.
    """
    beyond = counts[:, num_classes:IGNORE_INDEX]
    wrong = np.flatnonzero(beyond.any(axis=1))
    if len(wrong):
        first = int(wrong[0])
        highest = num_classes + int(np.flatnonzero(beyond[first])[-1])
        raise DataError(
            f"{paths[first]}: label {highest} in {counts[first, highest]} pixels; the {num_classes} classes are 0 to "
            f"{num_classes - 1}, and 255 is no label. Save grey levels as 0, 1, 2, …; or ignore {highest}, or raise "
            "num_classes"
        )
