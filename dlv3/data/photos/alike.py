"""Pictures that look alike, such as neighbouring frames of a video: a perceptual hash of each, and pairs of near ones.

The hash is a difference hash of 256 bits. The picture is averaged over 16 × 17 cells, and each bit says whether a cell
is brighter than its left neighbour. So it stays as it is when the picture is scaled, brightened or saved again, and
changes little when things in it move a little. Two cells of a flat picture differ by noise alone; so the cells' own
values have to be near as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROWS, _COLUMNS = 16, 17
MAX_BITS = 48
"""Bits of 256 in which the hashes of near pictures may differ. Frames of a drive that are 0.13 s apart (CamVid's
validation pictures) differ in 23 to 38; the nearest of its training pictures, from other minutes, in 74 or more."""
MAX_DIFFERENCE = 12.0
"""Mean difference between the cells of near pictures, in grey levels of 255, after both have the same mean."""
_CHUNK = 256  # pictures compared at once with all others


@dataclass(frozen=True)
class Look:
    """The parts of a picture by which it is compared."""

    cells: NDArray[np.float32]
    """(16, 17) mean grey levels."""
    bits: NDArray[np.uint64]
    """(4,): the 256 bits of the hash."""

    @classmethod
    def of(cls, image: NDArray[np.uint8]) -> "Look":
        """Look at a picture, (C, H, W)."""
        cells = _averaged(image.mean(axis=0, dtype=np.float32))
        brighter = cells[:, 1:] > cells[:, :-1]  # (16, 16)
        return cls(cells, np.packbits(brighter).view(np.uint64))


def alike(first: Sequence[Look], second: Sequence[Look]) -> list[tuple[int, int]]:
    """Find the near pairs of two lists of pictures.

    Returns:
        For each picture of the second list that has one, its index behind that of the nearest picture of the first.
    """
    if not first or not second:
        return []
    bits = np.stack([look.bits for look in first])  # (n, 4)
    found = []
    for start in range(0, len(second), _CHUNK):
        part = np.stack([look.bits for look in second[start : start + _CHUNK]])  # (m, 4)
        # A word at a time: (m, n)
        apart = sum(
            np.bitwise_count(part[:, None, word] ^ bits[None, :, word]).astype(np.int32) for word in range(4)
        )
        for row, distances in enumerate(apart):
            nearest = int(distances.argmin())
            if distances[nearest] <= MAX_BITS and _near(first[nearest], second[start + row]):
                found.append((nearest, start + row))
    return found


def _near(one: Look, other: Look) -> bool:
    difference = (one.cells - one.cells.mean()) - (other.cells - other.cells.mean())
    return float(np.abs(difference).mean()) <= MAX_DIFFERENCE


def _averaged(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (H, W) over 16 × 17 cells; a picture with fewer pixels repeats them."""
    height, width = grey.shape
    rows = np.arange(_ROWS) * height // _ROWS
    columns = np.arange(_COLUMNS) * width // _COLUMNS
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    tall = np.maximum(np.diff([*rows, height]), 1)
    wide = np.maximum(np.diff([*columns, width]), 1)
    cells: NDArray[np.float32] = (sums / (tall[:, None] * wide)).astype(np.float32)
    return cells
