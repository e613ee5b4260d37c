"""Markers: pictures for probes whose answer is known by construction, one mechanism of the paper at a time.

On smooth grey noise lie up to five pale discs and small coloured markers. All discs look alike; only the colour of a
marker tells a disc's class, so a network is right where it sees as far as the marker, and can only guess elsewhere.

Kinds:
- "one": every disc's marker lies at one distance, in one of 8 directions: which rate sees it? (section 3)
- "mixed": several distances in one picture; the disc's own grey tone says which is its (section 3.3, ASPP);
- "image": one marker anywhere, its colour the class of every disc (section 3.3, image-level features).

A distance is the larger of the two along the axes, in pixels, from centre to centre: what a tap of a 3×3 filter
spans. No other marker lies near any of the 8 places where a disc could have its own. Everything follows from
[seed, split, index] by integers (see textures.py), so that a picture is the same on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.made.scenes import check_split
from dlv3.data.made.textures import CANONICAL_SIZE, UNIT, RandomStream, lattice, smooth_noise
from dlv3.data.palette import IGNORE_INDEX

SIZE = CANONICAL_SIZE  # 129 pixels, a map of 33×33 at output stride 4
CLASSES = ("red", "green", "blue", "yellow")
COLOURS = ((214, 60, 60), (60, 190, 80), (70, 110, 235), (225, 200, 50))
KINDS = ("one", "mixed", "image")
SPLITS = {"train": 2000, "val": 300, "test": 300}
DIRECTIONS = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))

DISCS = 5  # at most
DISC_RADIUS = 7
MARKER_RADIUS = 3
# No disc and no marker touch: 2 pixels at least between a disc and a marker or another disc.
MARKER_GAP = DISC_RADIUS + MARKER_RADIUS + 2
DISC_GAP = 2 * DISC_RADIUS + 2
# Another disc's marker stays this far from all 8 places of a disc's own. A tap meant for a place, seen from any of the
# disc's pixels (7 off) through a window of 15 pixels (7 more), would begin to see a marker (3) at 17.
CLEARANCE = 18
DISTANCES = (MARKER_GAP, SIZE - 1 - DISC_RADIUS - MARKER_RADIUS)  # from touching to the picture's far side
TONES = (240, 165)  # of discs, lightest and darkest
GREY = (60, 130)  # of the noise
NOISE_CELL = 8 * UNIT
_CENTRES = (2 * np.arange(SIZE) + 1) * UNIT // 2  # of pixels, in 1/64 px

Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Disc:
    """A pale disc and the marker that tells its class."""

    place: Place
    """Its centre: row and column."""
    marker: Place
    """The centre of its marker; with "image" all discs share one."""
    label: int
    """The marker's colour, an index of CLASSES."""
    distance: int | None
    """The larger of the rows and the columns between the two, where the kind sets it; None with "image"."""


class Markers(Dataset):
    """Discs whose class is the colour of a marker.

    `dataset[i]` is an image, uint8 (3, 129, 129), and its mask, uint8 (129, 129): the pixels of a disc have its
    class, everything else is 255.

    Args:
        kind: "one", "mixed" or "image".
        split: "train", "val" or "test"; no two share a picture.
        distance: "one": pixels from a disc to its marker, 12 to 118.
        distances: "mixed": two to five of them, all different; each is as frequent as the others.
        pictures: how many; 2,000, 300 and 300 when left out.
        seed: another seed, other pictures.

    Raises:
        DataError: no such kind or split, a distance that no marker can have, no pictures, a negative seed.
    """

    classes = CLASSES
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
            raise DataError(f"markers of kind {kind!r}: expected one of {', '.join(KINDS)}")
        self.kind, self.split, self.seed = kind, split, seed
        self.distances = {"one": (distance,), "mixed": tuple(distances), "image": ()}[kind]
        self._length = check_split("markers", split, pictures, seed, SPLITS)
        if kind == "mixed" and not 2 <= len(set(self.distances)) == len(self.distances) <= DISCS:
            raise DataError(f"distances {self.distances}: give 2 to {DISCS}, all different")
        for value in self.distances:
            if not DISTANCES[0] <= value <= DISTANCES[1]:
                raise DataError(
                    f"distance {value}: a marker lies {DISTANCES[0]} to {DISTANCES[1]} pixels away"
                )

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """A name for the picture's files: "markers-one-val-00007"."""
        return f"markers-{self.kind}-{self.split}-{range(len(self))[index]:05d}"

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        stream = self._stream(index)
        image, mask = self._draw(self._place(stream), stream)
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def classes_in(self, index: int) -> frozenset[int]:
        """The classes of a picture's discs."""
        return frozenset(disc.label for disc in self.layout(index))

    def layout(self, index: int) -> list[Disc]:
        """A picture's discs, their markers and classes, without drawing it."""
        return self._place(self._stream(index))

    def tone(self, distance: int | None) -> int:
        """The grey, 0 to 255, of a disc whose marker lies at a distance."""
        if self.kind != "mixed":
            return TONES[0]
        step = self.distances.index(distance)
        return TONES[0] + (TONES[1] - TONES[0]) * step // (len(self.distances) - 1)

    def _stream(self, index: int) -> RandomStream:
        index = range(len(self))[index]  # an IndexError past the end; -1 is the last
        return RandomStream(self.seed, list(SPLITS).index(self.split), index, KINDS.index(self.kind))

    def _place(self, stream: RandomStream) -> list[Disc]:
        if self.kind == "image":
            return _around_one_marker(stream)
        count, first = stream.between(3, DISCS), stream.below(len(self.distances))
        while True:
            # Which distances a picture gets is settled before anything is placed, and nothing that fails to fit is
            # drawn again by itself: else the distances that fit easily would be the frequent ones.
            wanted = sorted(
                (self.distances[(first + k) % len(self.distances)] for k in range(count)), reverse=True
            )
            for _ in range(30):
                discs = _with_own_markers(stream, wanted)
                if discs is not None:
                    return discs
            count -= 1  # distances that leave no room for so many

    def _draw(self, discs: list[Disc], stream: RandomStream) -> tuple[np.ndarray, np.ndarray]:
        noise = smooth_noise(
            lattice(stream, NOISE_CELL), NOISE_CELL, _CENTRES, _CENTRES
        )  # (129, 129), 0 to 255
        grey = (GREY[0] + ((GREY[1] - GREY[0]) * noise >> 8)).astype(np.uint8)
        image = np.repeat(grey[None], 3, axis=0)  # (3, 129, 129)
        mask = np.full((SIZE, SIZE), IGNORE_INDEX, np.uint8)
        for disc in discs:
            image[:, *_box(disc.place, DISC_RADIUS)][:, _DISC] = self.tone(disc.distance)
            mask[_box(disc.place, DISC_RADIUS)][_DISC] = disc.label
        for marker, label in {disc.marker: disc.label for disc in discs}.items():
            image[:, *_box(marker, MARKER_RADIUS)][:, _MARKER] = self.palette[label][:, None]
        return image, mask


def chebyshev(a: Place, b: Place) -> int:
    """The larger of the rows and the columns between two places."""
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


def _round(radius: int) -> np.ndarray:
    """Which pixels of a square of side 2·radius + 1 lie within `radius` of its centre."""
    along = np.arange(-radius, radius + 1) ** 2
    return along[:, None] + along <= radius**2


_DISC, _MARKER = _round(DISC_RADIUS), _round(MARKER_RADIUS)


def _box(place: Place, radius: int) -> tuple[slice, slice]:
    row, column = place
    return slice(row - radius, row + radius + 1), slice(column - radius, column + radius + 1)


def _with_own_markers(stream: RandomStream, distances: list[int]) -> list[Disc] | None:
    """Discs with their markers at these distances, or None where they do not fit after many tries."""
    discs: list[Disc] = []
    for distance in distances:
        for _ in range(60):
            disc = _random_disc(stream, distance)
            if all(_apart(disc, other) for other in discs):
                discs.append(disc)
                break
        else:
            return None
    return discs


def _random_disc(stream: RandomStream, distance: int) -> Disc:
    """A disc and its marker, both whole in the picture, every direction as likely as the others."""
    step_y, step_x = stream.pick(DIRECTIONS)
    row, column = _within(stream, distance * step_y), _within(stream, distance * step_x)
    marker = (row + distance * step_y, column + distance * step_x)
    return Disc((row, column), marker, stream.below(len(CLASSES)), distance)


def _within(stream: RandomStream, offset: int) -> int:
    """A disc's row, or column, such that its marker at `offset` is whole in the picture too."""
    low = max(DISC_RADIUS, MARKER_RADIUS - offset)
    return stream.between(low, min(SIZE - 1 - DISC_RADIUS, SIZE - 1 - MARKER_RADIUS - offset))


def _apart(a: Disc, b: Disc) -> bool:
    """Whether neither disc touches the other and neither marker could be taken for the other's."""
    return (
        chebyshev(a.place, b.place) >= DISC_GAP
        and chebyshev(a.marker, b.marker) >= MARKER_GAP
        and not _could_be_of(a.marker, b)
        and not _could_be_of(b.marker, a)
    )


def _could_be_of(marker: Place, disc: Disc) -> bool:
    """Whether a marker lies near the disc or near one of the 8 places of its own."""
    along = (abs(at - centre) for at, centre in zip(marker, disc.place, strict=True))
    return all(apart < CLEARANCE or abs(apart - disc.distance) < CLEARANCE for apart in along)


def _around_one_marker(stream: RandomStream) -> list[Disc]:
    """One to five discs anywhere, and the marker of them all."""
    marker = (stream.between(MARKER_RADIUS, SIZE - 1 - MARKER_RADIUS) for _ in range(2))
    marker, label = (next(marker), next(marker)), stream.below(len(CLASSES))
    discs: list[Disc] = []
    count = stream.between(1, DISCS)
    while len(discs) < count:  # five discs and a marker always fit: they take a tenth of the picture
        place = (_within(stream, 0), _within(stream, 0))
        if chebyshev(place, marker) >= MARKER_GAP and all(
            chebyshev(place, other.place) >= DISC_GAP for other in discs
        ):
            discs.append(Disc(place, marker, label, None))
    return discs
