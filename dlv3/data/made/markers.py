"""Markers: pictures for probes whose answer is known by construction, one mechanism of the paper at a time.

On smooth grey noise lie up to five pale discs and small coloured markers. All discs look alike; only the colour of a
marker tells a disc's class, so a network is right where it sees as far as the marker, and can only guess elsewhere.

Kinds:
- "one": every disc's marker lies at one distance, in one of 8 directions: which rate sees it? (section 3)
- "mixed": several distances in one picture; the disc's own grey tone says which is its (section 3.3, ASPP);
- "image": one marker anywhere, its colour the class of every disc (section 3.3, image-level features).

A distance is the larger of the two along the axes, in pixels, from centre to centre, as a tap of a 3×3 filter spans it.
No other marker lies near any of the 8 places where a disc could have its own. Everything follows from
[seed, split, index] by integers (see textures.py), so that a picture is the same on every machine.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.made.discs import (
    CLASSES,
    DIRECTIONS,
    DISC_RADIUS,
    DISCS,
    DISTANCES,
    MARKER_RADIUS,
    SIZE,
    Disc,
    Place,
    around_one_marker,
    with_own_markers,
)
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import UNIT, RandomStream, lattice, smooth_noise
from dlv3.data.palette import IGNORE_INDEX

# Those of dlv3.data.made.discs can be imported from here too.
__all__ = ["CLASSES", "COLOURS", "DIRECTIONS", "DISC_RADIUS", "KINDS", "SIZE", "SPLITS", "Disc", "Markers"]

COLOURS = ((214, 60, 60), (60, 190, 80), (70, 110, 235), (225, 200, 50))
KINDS = ("one", "mixed", "image")
SPLITS = {"train": 2000, "val": 300, "test": 300}
TONES = (240, 165)  # of discs, lightest and darkest
GREY = (60, 130)  # of the noise
NOISE_CELL = 8 * UNIT
_CENTRES = (2 * np.arange(SIZE) + 1) * UNIT // 2  # of pixels, in 1/64 px


class Markers(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """Discs whose class is the colour of a marker.

    `dataset[i]` is an image, uint8 (3, 129, 129), and its mask, uint8 (129, 129): the pixels of a disc have its
    class, everything else is 255.

    Args:
        kind: "one", "mixed" or "image".
        split: "train", "val" or "test"; no two share a picture.
        distance: "one": pixels from a disc to its marker, 12 to 118.
        distances: "mixed": two to five of them, all different; each is as frequent as the others.
        pictures: how many; 2,000, 300 and 300 when left out.
        seed: another seed gives other pictures.

    Raises:
        DataError: an unknown kind or split, a distance that no marker can have, no pictures, a negative seed.
    """

    classes: tuple[str, ...] = CLASSES
    num_classes = len(CLASSES)
    palette = np.array(COLOURS, dtype=np.uint8)

    def __init__(
        self,
        kind: str,
        split: str,
        *,
        distance: int = 48,
        distances: Sequence[int] = (16, 40, 72),
        pictures: int | None = None,
        seed: int = 0,
    ) -> None:
        if kind not in KINDS:
            raise DataError(f"kind={kind!r} of markers: expected one of {', '.join(KINDS)}")
        self.kind, self.split, self.seed = kind, split, seed
        self.distances = {"one": (distance,), "mixed": tuple(distances), "image": ()}[kind]
        self._length = check_split("markers", split, pictures, seed, SPLITS)
        if kind == "mixed" and not 2 <= len(set(self.distances)) == len(self.distances) <= DISCS:
            raise DataError(f"distances={self.distances}: expected 2 to {DISCS} numbers, all different")
        for value in self.distances:
            if not DISTANCES[0] <= value <= DISTANCES[1]:
                raise DataError(f"distance={value}: expected {DISTANCES[0]} to {DISTANCES[1]} pixels")

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """Return a name for the picture's files, such as "markers-one-val-00007"."""
        return f"markers-{self.kind}-{self.split}-{range(len(self))[index]:05d}"

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        stream = self._stream(index)
        image, mask = self._draw(self._place(stream), stream)
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes of a picture's discs."""
        return frozenset(disc.label for disc in self.layout(index))

    def layout(self, index: int) -> list[Disc]:
        """Return a picture's discs, their markers and classes, without drawing it."""
        return self._place(self._stream(index))

    def tone(self, distance: int | None) -> int:
        """Return the grey, 0 to 255, of a disc whose marker lies at a distance."""
        if self.kind != "mixed" or distance is None:
            return TONES[0]
        step = self.distances.index(distance)
        return TONES[0] + (TONES[1] - TONES[0]) * step // (len(self.distances) - 1)

    def _stream(self, index: int) -> RandomStream:
        # Raises IndexError past the end; -1 is the last.
        index = range(len(self))[index]
        return RandomStream(self.seed, list(SPLITS).index(self.split), index, KINDS.index(self.kind))

    def _place(self, stream: RandomStream) -> list[Disc]:
        if self.kind == "image":
            return around_one_marker(stream)
        count, first = stream.between(3, DISCS), stream.below(len(self.distances))
        while True:
            # The distances of a picture are decided before anything is placed, and a disc that does not fit is not
            # drawn again alone: otherwise the distances that fit easily would be more frequent.
            wanted = sorted(
                (self.distances[(first + k) % len(self.distances)] for k in range(count)), reverse=True
            )
            for _ in range(30):
                discs = with_own_markers(stream, wanted)
                if discs is not None:
                    return discs
            # There is no room for so many at these distances.
            count -= 1

    def _draw(self, discs: list[Disc], stream: RandomStream) -> tuple[np.ndarray, np.ndarray]:
        # (129, 129), 0 to 255
        noise = smooth_noise(lattice(stream, NOISE_CELL), NOISE_CELL, _CENTRES, _CENTRES)
        grey = (GREY[0] + ((GREY[1] - GREY[0]) * noise >> 8)).astype(np.uint8)
        image = np.repeat(grey[None], 3, axis=0)  # (3, 129, 129)
        mask = np.full((SIZE, SIZE), IGNORE_INDEX, np.uint8)
        for disc in discs:
            image[:, *_box(disc.place, DISC_RADIUS)][:, _DISC] = self.tone(disc.distance)
            mask[_box(disc.place, DISC_RADIUS)][_DISC] = disc.label
        for marker, label in {disc.marker: disc.label for disc in discs}.items():
            image[:, *_box(marker, MARKER_RADIUS)][:, _MARKER] = self.palette[label][:, None]
        return image, mask


def _round(radius: int) -> np.ndarray:
    """Return which pixels of a square of side 2·radius + 1 lie within `radius` of its centre."""
    along = np.arange(-radius, radius + 1) ** 2
    return along[:, None] + along <= radius**2


_DISC, _MARKER = _round(DISC_RADIUS), _round(MARKER_RADIUS)


def _box(place: Place, radius: int) -> tuple[slice, slice]:
    row, column = place
    return slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1)
