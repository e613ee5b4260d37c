"""Bootstrapping on hard images (§4.3, for the test entry): training pictures with hard classes are seen more often.

The paper duplicates the training pictures that contain bicycle, chair, diningtable, pottedplant or sofa, the classes
that its network finds hard to outline. It does not say how many copies it makes, so that is an option.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset
from torchvision import tv_tensors
from tqdm import tqdm

from dlv3.data import DataConfig, SegmentationDataset
from dlv3.data.errors import DataError
from dlv3.data.shares import CountedDataset
from dlv3.fields import require

_MANY = 1000  # masks; reading more takes long enough for a progress bar


class Bootstrapped(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """A data set followed by `copies` copies of some of its pictures.

    Args:
        dataset: any data set of `dlv3.data`.
        hard: indices of the pictures to duplicate.
        copies: of each, 1 or more; with 1 they are seen twice as often as the others.

    Raises:
        ValueError: copies is below 1.
    """

    def __init__(self, dataset: SegmentationDataset, hard: Sequence[int], copies: int = 1) -> None:
        require("copies", copies, copies >= 1, "a whole number of at least 1")
        self.dataset = dataset
        self.indices = [*range(len(dataset)), *list(hard) * copies]
        self.classes, self.num_classes, self.palette = dataset.classes, dataset.num_classes, dataset.palette

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        return self.dataset[self.indices[index]]

    def name(self, index: int) -> str:
        """Return the picture's name; a copy has its original's."""
        return self.dataset.name(self.indices[index])

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes that occur in a picture, without 255."""
        return self.dataset.classes_in(self.indices[index])

    def label_counts(self) -> NDArray[np.int64]:
        """Return the pixels of each value in each picture's mask, copies included: (pictures, 256).

        Raises:
            TypeError: the labels of the data set are not counted.
        """
        if not isinstance(self.dataset, CountedDataset):
            raise TypeError(f"{type(self.dataset).__name__}: the labels of this data set are not counted")
        return self.dataset.label_counts()[self.indices]


def hard_pictures(dataset: SegmentationDataset, classes: Sequence[str]) -> list[int]:
    """Find the pictures that contain any of these classes; every mask is read once.

    Args:
        dataset: any data set of `dlv3.data`.
        classes: names out of `dataset.classes`.

    Returns:
        Indices of the data set.

    Raises:
        DataError: the data set does not have one of the classes.
    """
    unknown = [name for name in classes if name not in dataset.classes]
    if unknown:
        raise DataError(
            f"bootstrap_classes={tuple(classes)!r}: this data set does not have {unknown[0]!r}; its classes are "
            f"{', '.join(dataset.classes)}"
        )
    wanted = {dataset.classes.index(name) for name in classes}
    total = len(dataset)
    with ThreadPoolExecutor() as pool:
        present = pool.map(dataset.classes_in, range(total))
        bar = tqdm(present, total=total, desc="looking for hard pictures", unit="mask", disable=total < _MANY)
        return [index for index, found in enumerate(bar) if found & wanted]


def bootstrap(dataset: SegmentationDataset, config: DataConfig) -> SegmentationDataset:
    """Duplicate the hard pictures as the configuration says; without copies the data set itself is returned.

    Raises:
        DataError: the data set does not have one of bootstrap_classes.
    """
    copies = config.bootstrap_copies
    return (
        Bootstrapped(dataset, hard_pictures(dataset, config.bootstrap_classes), copies) if copies else dataset
    )
