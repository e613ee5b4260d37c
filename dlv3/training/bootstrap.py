"""Bootstrapping on hard images (§4.1): training pictures with hard classes are seen more often.

The paper duplicates the training pictures that contain bicycle, chair, diningtable, pottedplant or sofa, the classes
its network finds hard to outline. How many copies it makes it does not say, so that is an option.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from torch.utils.data import Dataset
from torchvision import tv_tensors
from tqdm import tqdm

from dlv3.data import DataConfig, SegmentationDataset
from dlv3.data.errors import DataError

_MANY = 1000  # masks; reading more takes long enough for a progress bar


class Bootstrapped(Dataset):
    """A data set followed by `copies` copies of some of its pictures.

    Args:
        dataset: any data set of `dlv3.data`.
        hard: the pictures to duplicate.
        copies: of each, 1 or more; with 1 they are seen twice as often as the others.
    """

    def __init__(self, dataset: SegmentationDataset, hard: Sequence[int], copies: int = 1) -> None:
        if copies < 1:
            raise ValueError(f"copies is {copies}; give 1 or more")
        self.dataset = dataset
        self.indices = [*range(len(dataset)), *list(hard) * copies]
        self.classes, self.num_classes, self.palette = dataset.classes, dataset.num_classes, dataset.palette

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        return self.dataset[self.indices[index]]

    def name(self, index: int) -> str:
        """The picture's name; a copy has its original's."""
        return self.dataset.name(self.indices[index])

    def classes_in(self, index: int) -> frozenset[int]:
        """Classes that occur in a picture, without 255."""
        return self.dataset.classes_in(self.indices[index])


def hard_pictures(dataset: SegmentationDataset, classes: Sequence[str]) -> list[int]:
    """The pictures that contain any of these classes; every mask is read once.

    Args:
        dataset: any data set of `dlv3.data`.
        classes: names out of `dataset.classes`.

    Raises:
        DataError: a class the data set does not have.
    """
    unknown = [name for name in classes if name not in dataset.classes]
    if unknown:
        raise DataError(
            f"bootstrap_classes names {unknown[0]!r}, which this data set does not have; its classes are "
            f"{', '.join(dataset.classes)}"
        )
    wanted = {dataset.classes.index(name) for name in classes}
    total = len(dataset)
    with ThreadPoolExecutor() as pool:
        present = pool.map(dataset.classes_in, range(total))
        bar = tqdm(present, total=total, desc="looking for hard pictures", unit="mask", disable=total < _MANY)
        return [index for index, found in enumerate(bar) if found & wanted]


def bootstrap(dataset: SegmentationDataset, config: DataConfig) -> SegmentationDataset:
    """Duplicate the hard pictures as the configuration says: the data set itself where it asks for no copies.

    Raises:
        DataError: a number of copies below 0, or a class the data set does not have.
    """
    if config.bootstrap_copies < 0:
        raise DataError(f"bootstrap_copies is {config.bootstrap_copies}; it is 0 (off) or more")
    if not config.bootstrap_copies:
        return dataset
    return Bootstrapped(dataset, hard_pictures(dataset, config.bootstrap_classes), config.bootstrap_copies)
