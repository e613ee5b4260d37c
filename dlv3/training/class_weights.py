"""Class weights by median frequency (Eigen and Fergus, 2015): rare classes count more in the loss.

The frequency of a class is its share of the labelled pixels of the pictures in which it occurs. Its weight is the
median of all classes' frequencies divided by its own: below 1 for the background, above 1 for what is small.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlv3.config.training import TrainingConfig
from dlv3.data import SegmentationDataset
from dlv3.training.bootstrap import Bootstrapped


def counted_weights(
    training: TrainingConfig, dataset: SegmentationDataset, known: Sequence[float] = ()
) -> list[float]:
    """Return the weights that are counted in the training pictures, where the configuration asks for them.

    Args:
        training: the configuration.
        dataset: the training pictures.
        known: those that a resumed run has counted before.

    Returns:
        One weight for each class; empty where they are not counted.

    Raises:
        DataError: a mask cannot be read.
    """
    if training.class_balance == "none":
        return []
    if len(known) == dataset.num_classes:
        return list(known)
    return [float(weight) for weight in median_frequency(pixels_of(dataset))]


def median_frequency(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Compute the weights.

    Args:
        counts: (pictures, classes) labelled pixels.

    Returns:
        (classes,): the median frequency divided by the class's; 1 for a class that never occurs.
    """
    of_class = counts.sum(axis=0)
    # All labelled pixels of the pictures in which the class occurs.
    where = (counts.sum(axis=1, keepdims=True) * (counts > 0)).sum(axis=0)
    occurs = of_class > 0
    weights = np.ones(counts.shape[1])
    if occurs.any():
        frequencies = of_class[occurs] / where[occurs]
        weights[occurs] = np.median(frequencies) / frequencies
    return weights


def pixels_of(dataset: SegmentationDataset) -> NDArray[np.int64]:
    """Count the pixels of each class in each picture: (pictures, classes). Photos' counts are kept on disk."""
    if isinstance(dataset, Bootstrapped):
        return pixels_of(dataset.dataset)[dataset.indices]
    label_counts = getattr(dataset, "label_counts", None)
    if label_counts is not None:
        counts: NDArray[np.int64] = label_counts()[:, : dataset.num_classes]
        return counts
    masks = (np.asarray(dataset[index][1]).ravel() for index in range(len(dataset)))
    return np.stack([np.bincount(mask, minlength=256)[: dataset.num_classes] for mask in masks])
