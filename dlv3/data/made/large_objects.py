"""The base of the data sets of large objects: a quarter of the paper's picture, objects as large in it as VOC's."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.made.placed import Layout
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import CANONICAL_SIZE, UNIT, RandomStream
from dlv3.data.palette import voc_palette

SPLITS = {"train": 3000, "val": 300, "test": 500}
SIZES = (129, 513)
MARGIN_PERCENT = 85  # of the radius: an object's centre keeps this distance from the picture's sides


def grown_radii(smallest_percent: int, largest_percent: int) -> tuple[int, ...]:
    """Return 257 radii, evenly spaced in the logarithm: half of these shares of a 129-pixel side, in 1/64 px."""
    side = CANONICAL_SIZE * UNIT
    ratio = largest_percent / smallest_percent
    return tuple(round(side * smallest_percent / 200 * ratio ** (k / 256)) for k in range(257))


def random_centre(stream: RandomStream, margin: int, extent: int) -> tuple[int, int]:
    """Draw an object's centre, at least `margin` from each side, or in the middle if that leaves no room."""
    margin = min(margin, extent // 2)
    return stream.between(margin, extent - margin), stream.between(margin, extent - margin)


class LargeObjects(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]], ABC):
    """Pictures of one to three large objects on a dull ground.

    `dataset[i]` is an image, uint8 (3, size, size), and its mask, uint8 (size, size); no pixel is without a label.

    Args:
        split: "train", "val" or "test"; no picture of one is in another.
        size: side of the pictures in pixels, 129 to 513; all lengths grow with it.
        pictures: how many; None takes 3,000 for train, 300 for val and 500 for test. Fewer are the first of more.
        seed: another seed is another data set.

    Raises:
        DataError: for a split, a size or a number of pictures that does not exist.
    """

    classes: ClassVar[tuple[str, ...]]
    title: ClassVar[str]
    stream_kind: ClassVar[int]
    """Keeps these pictures' random streams apart from those of the other data sets."""

    def __init__(
        self, split: str, *, size: int = CANONICAL_SIZE, pictures: int | None = None, seed: int = 0
    ) -> None:
        if not SIZES[0] <= size <= SIZES[1]:
            raise DataError(f"size {size}: {self.title} is drawn from {SIZES[0]} to {SIZES[1]} pixels a side")
        self.split, self.size, self.seed = split, size, seed
        self._length = check_split(self.title, split, pictures, seed, SPLITS)
        self.num_classes = len(self.classes)
        self.palette: np.ndarray = voc_palette(self.num_classes)

    @abstractmethod
    def draw_layout(self, stream: RandomStream) -> Layout:
        """Draw the objects of a picture and their places."""

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        image, mask = self.layout(index).draw(self.size)
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def layout(self, index: int) -> Layout:
        """Return the objects of picture `index`, at any size."""
        index = range(len(self))[index]  # an IndexError past the end; -1 is the last
        return self.draw_layout(
            RandomStream(self.seed, list(SPLITS).index(self.split), index, self.stream_kind)
        )

    def name(self, index: int) -> str:
        """Return a name for the picture's files: "outline-val-00007"."""
        return f"{self.title}-{self.split}-{range(len(self))[index]:05d}"

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the labels that occur in picture `index`."""
        return frozenset(torch.unique(self[index][1]).tolist())
