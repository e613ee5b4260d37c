"""One-object pictures to pretrain on: the stand-in for ImageNet for the pictures of large objects."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from dlv3.data.made import heads, outline
from dlv3.data.made.placed import Layout, Painted
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import CANONICAL_SIZE, UNIT, RandomStream, background_fill, object_fill

SIZE = 65  # pixels
EXTENT = SIZE * UNIT
SMALLEST_PERCENT = 45  # of the side; the largest is the data sets' own, 95
OBJECTS = (*outline.KINDS, *(f"{hue} head" for hue in heads.HUES))
SPLITS = {"train": 12_000, "val": 2_000}
_STREAM = 4_007  # apart from the data sets' own streams of random numbers


class ObjectCrops(Dataset[tuple[Tensor, int]]):
    """Pictures of 65×65 pixels with one object of `outline` or of `heads`.

    `dataset[i]` is (image, object): uint8 (3, 65, 65) and an index into OBJECTS. Objects, fills and grounds are the
    data sets' own; no picture is one of theirs.

    Args:
        split: "train" or "val".
        pictures: how many; 12,000 and 2,000 when left out.
        seed: another seed, other pictures.

    Raises:
        DataError: for a split or a number of pictures that does not exist.
    """

    def __init__(self, split: str, *, pictures: int | None = None, seed: int = 0) -> None:
        self.split, self.seed = split, seed
        self._length = check_split("object crops", split, pictures, seed, SPLITS)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        index = range(len(self))[index]
        stream = RandomStream(self.seed, list(SPLITS).index(self.split), index, _STREAM)
        image, label = _draw(stream)
        return torch.from_numpy(image), label


def _draw(stream: RandomStream) -> tuple[np.ndarray, int]:
    ground, label = background_fill(stream), stream.below(len(OBJECTS))
    if label < len(outline.KINDS):
        placed = outline.random_outline(stream, outline.KINDS[label], _size(stream, outline.RADII), 0, EXTENT)
        painted: tuple[Painted, ...] = (Painted(placed, object_fill(stream), 1),)
    else:
        body = heads.random_body(stream, _size(stream, heads.RADII), 0, EXTENT)
        painted = heads.painted_body(stream, body, 1 + label - len(outline.KINDS))
    image, _ = Layout(ground, painted).draw(SIZE, SIZE)
    return image, label


def _size(stream: RandomStream, radii: tuple[int, ...]) -> int:
    """Draw an index of a radius that is large enough."""
    smallest = CANONICAL_SIZE * UNIT * SMALLEST_PERCENT // 200
    return stream.pick([index for index, radius in enumerate(radii) if radius >= smallest])
