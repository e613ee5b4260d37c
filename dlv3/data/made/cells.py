"""Cells: pictures on a grid of 4×4-pixel cells, for probes that ask which cells a stack of layers can reach.

A few cells are pale: the targets. A target's class is the colour of its own marker, one cell at some offset. Nothing
else tells the class, so a network is right where its taps reach the marker's cell, and can only guess elsewhere: the
holes of a sampling pattern become a score that can be computed beforehand.

Kinds:
- "near": the marker at any offset of up to 6 cells each way, odd and even alike (sections 3.2.1, gridding);
- "far": 12 cells away in one of 8 directions (section 3.2, the cascade);
- "dots": no targets; 48 markers, each with the class of its own colour (section 3.2, Fig. 3a: the detail that striding
  loses).

A marker never lies where another target could have its own; two dots never touch. Everything follows from
[seed, split, index] by integers (see textures.py), so that a picture is the same on every machine.
"""

import numpy as np
import torch
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.made.markers import CLASSES, COLOURS
from dlv3.data.made.splits import check_split
from dlv3.data.made.textures import RandomStream
from dlv3.data.palette import IGNORE_INDEX

CELL = 4  # pixels
SIDE = 32  # cells
PALE = (235, 235, 235)
REACH = {"near": 6, "far": 12}  # cells, along each axis
FAR_DIRECTIONS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
TARGETS = 3
DOTS = 48
KINDS = (*REACH, "dots")
SPLITS = {"train": 2000, "val": 300, "test": 300}

Cell = tuple[int, int]  # row, column


class CellMarkers(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """Targets whose class is the colour of a marker some cells away.

    `dataset[i]` is an image, uint8 (3, 128, 128), and its mask, uint8 (128, 128): the inner 2×2 pixels of a target's
    cell have its class, everything else is 255.

    Args:
        kind: "near", "far" or "dots".
        split: "train", "val" or "test"; no two share a picture.
        pictures: how many; 2,000, 300 and 300 when left out.
        seed: another seed gives other pictures.

    Raises:
        DataError: a kind, split, number of pictures or seed that is not possible.
    """

    classes: tuple[str, ...] = CLASSES
    num_classes = len(CLASSES)
    palette = np.array(COLOURS, dtype=np.uint8)

    def __init__(self, kind: str, split: str, *, pictures: int | None = None, seed: int = 0) -> None:
        if kind not in KINDS:
            raise DataError(f"kind={kind!r} of cells: expected one of {', '.join(KINDS)}")
        self.kind, self.split, self.seed = kind, split, seed
        self._length = check_split("cells", split, pictures, seed, SPLITS)

    def __len__(self) -> int:
        return self._length

    def name(self, index: int) -> str:
        """Return a name for the picture's files, such as "val-00007"."""
        return f"{self.split}-{index:05d}"

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        if not 0 <= index < len(self):
            raise IndexError(f"index={index}: expected 0 to {len(self) - 1}")
        image, mask = self._draw(self._stream(index))
        return tv_tensors.Image(torch.from_numpy(image)), tv_tensors.Mask(torch.from_numpy(mask))

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes of a picture's targets."""
        return frozenset(marker_class for _, _, marker_class in self.layout(index))

    def layout(self, index: int) -> list[tuple[Cell, Cell, int]]:
        """Return each target's cell, its marker's cell and its class; a dot is its own marker."""
        return self._place(self._stream(index))

    def _stream(self, index: int) -> RandomStream:
        return RandomStream(self.seed, list(SPLITS).index(self.split), index, KINDS.index(self.kind))

    def offsets(self) -> list[Cell]:
        """Return the possible offsets of a marker from its target.

        An offset that leaves the picture is drawn again, so small offsets are somewhat more frequent: weight them by
        `layout` to compute a score beforehand.
        """
        if self.kind == "dots":
            return [(0, 0)]
        reach = REACH[self.kind]
        if self.kind == "far":
            return [(reach * y, reach * x) for y, x in FAR_DIRECTIONS]
        around = range(-reach, reach + 1)
        return [(y, x) for y in around for x in around if (y, x) != (0, 0)]

    def _place(self, stream: RandomStream) -> list[tuple[Cell, Cell, int]]:
        offsets = self.offsets()
        placed: list[tuple[Cell, Cell, int]] = []
        count = DOTS if self.kind == "dots" else TARGETS
        # A marker that could be taken for another target's is drawn again.
        for _ in range(400):
            target = (stream.below(SIDE), stream.below(SIDE))
            step = stream.pick(offsets)
            marker = (target[0] + step[0], target[1] + step[1])
            marker_class = stream.below(len(CLASSES))
            if self._fits(target, marker, placed):
                placed.append((target, marker, marker_class))
            if len(placed) == count:
                break
        return placed

    def _fits(self, target: Cell, marker: Cell, placed: list[tuple[Cell, Cell, int]]) -> bool:
        if not all(0 <= at < SIDE for at in marker):
            return False
        return all(
            not self._could_be_of(marker, other_target)
            and not self._could_be_of(other_marker, target)
            and not {target, marker} & {other_target, other_marker}
            for other_target, other_marker, _ in placed
        )

    def _could_be_of(self, marker: Cell, target: Cell) -> bool:
        apart = max(abs(marker[0] - target[0]), abs(marker[1] - target[1]))
        return apart <= REACH.get(self.kind, 1)

    def _draw(self, stream: RandomStream) -> tuple[np.ndarray, np.ndarray]:
        placed = self._place(stream)
        pixels = SIDE * CELL
        grey = 70 + stream.bytes(pixels * pixels).reshape(pixels, pixels) // 4  # 70 to 133
        image = np.repeat(grey[None], 3, axis=0)
        mask = np.full((pixels, pixels), IGNORE_INDEX, dtype=np.uint8)
        for target, marker, marker_class in placed:
            _paint(image, target, PALE)
            # A dot is painted over its target.
            _paint(image, marker, COLOURS[marker_class])
            row, column = target[0] * CELL, target[1] * CELL
            mask[row + 1 : row + 3, column + 1 : column + 3] = marker_class
        return image, mask


def _paint(image: np.ndarray, cell: Cell, colour: tuple[int, int, int]) -> None:
    row, column = cell[0] * CELL, cell[1] * CELL
    image[:, row : row + CELL, column : column + CELL] = np.array(colour, dtype=np.uint8)[:, None, None]
