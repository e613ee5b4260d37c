"""Ground: pictures whose colour begins far from the disc that has its class, for the probe of Fig. 4 (section 3.3).

One pale disc lies anywhere on grey noise. Outside a square around the disc the noise is coloured, and that colour is
the disc's class. A 3×3 filter that reaches out of the square sees it in any direction, so it needs only one outer
weight that falls onto the picture. As the rate grows, fewer positions have one: the share of Fig. 4.
Everything follows from [seed, split, index] by integers (see textures.py).
"""

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.made.markers import CLASSES, COLOURS, DISC_RADIUS, SIZE
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import UNIT, RandomStream, lattice, smooth_noise
from dlv3.data.palette import IGNORE_INDEX

GREY_REACH = 24  # pixels from the disc's centre to the edge of its grey square
SPLITS = {"train": 2000, "val": 300, "test": 300}
PALE = 240
GREY = (60, 130)  # of the noise, darkest and lightest
NOISE_CELL = 8 * UNIT
_CENTRES = (2 * np.arange(SIZE) + 1) * UNIT // 2  # of pixels, in 1/64 px
_KIND = 100  # keeps these pictures' random streams apart from those of the markers


class Ground(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """A disc whose class is the colour of the ground beyond its surroundings.

    `dataset[i]` is an image, uint8 (3, 129, 129), and its mask, uint8 (129, 129): the disc's pixels have its class,
    everything else is 255.

    Args:
        split: "train", "val" or "test"; no two share a picture.
        pictures: how many; 2,000, 300 and 300 when left out.
        seed: another seed gives other pictures.

    Raises:
        DataError: an unknown split, no pictures, a negative seed.
    """

    classes: tuple[str, ...] = CLASSES
    num_classes = len(CLASSES)
    palette = np.array(COLOURS, dtype=np.uint8)

    def __init__(self, split: str, *, pictures: int | None = None, seed: int = 0) -> None:
        self.split, self.seed = split, seed
        self._length = check_split("ground", split, pictures, seed, SPLITS)

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """Return a name for the picture's files, such as "ground-val-00007"."""
        return f"ground-{self.split}-{range(len(self))[index]:05d}"

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        stream = self._stream(index)
        place, label = self._place(stream)
        image, mask = self._draw(place, label, stream)
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the class of the picture's disc."""
        return frozenset({self.layout(index)[1]})

    def layout(self, index: int) -> tuple[tuple[int, int], int]:
        """Return the row and column of a picture's disc, and its class."""
        return self._place(self._stream(index))

    def _stream(self, index: int) -> RandomStream:
        # Raises IndexError past the end; -1 is the last.
        index = range(len(self))[index]
        return RandomStream(self.seed, list(SPLITS).index(self.split), index, _KIND)

    def _place(self, stream: RandomStream) -> tuple[tuple[int, int], int]:
        row, column = (stream.between(DISC_RADIUS, SIZE - 1 - DISC_RADIUS) for _ in range(2))
        return (row, column), stream.below(len(CLASSES))

    def _draw(
        self, place: tuple[int, int], label: int, stream: RandomStream
    ) -> tuple[np.ndarray, np.ndarray]:
        noise = smooth_noise(lattice(stream, NOISE_CELL), NOISE_CELL, _CENTRES, _CENTRES)  # 0 to 255
        grey = GREY[0] + ((GREY[1] - GREY[0]) * noise >> 8)  # (129, 129)
        away_y, away_x = (np.abs(np.arange(SIZE) - centre) for centre in place)
        near = np.maximum(away_y[:, None], away_x) <= GREY_REACH
        # As bright as the grey: only the hue tells the class.
        tint = np.array(COLOURS[label])[:, None, None] * grey // 160
        image = np.where(near, grey, tint).astype(np.uint8)  # (3, 129, 129)
        disc = away_y[:, None] ** 2 + away_x**2 <= DISC_RADIUS**2
        image[:, disc] = PALE
        mask = np.where(disc, label, IGNORE_INDEX).astype(np.uint8)
        return image, mask
