"""The outlines of the made pictures' objects, as signed distances on a grid of integers.

A signed distance is negative inside an outline, zero on it and positive outside. One such map gives both the label (a
pixel belongs to the object if its centre lies inside) and the soft edge of the painting. All lengths are in 1/64 px of
the 129-pixel picture (`textures.UNIT`), for every size of picture.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlv3.data.made.textures import CANONICAL_SIZE, SINE_SCALE, UNIT, Fill, cosine, sine


class Canvas:
    """A picture and its labels, painted from back to front.

    Args:
        size: side of the picture in pixels.
        label: the label that every pixel starts with.
        extent: the side, in pixels of the 129-pixel picture.
    """

    def __init__(self, size: int, *, label: int = 0, extent: int = CANONICAL_SIZE) -> None:
        self.size = size
        self.image = np.zeros((3, size, size), np.int32)  # 0 to 255
        self.labels = np.full((size, size), label, np.uint8)
        # Pixel centres in 1/64 px of the 129-pixel picture. At 129 pixels: 32, 96, 160, …
        self.positions = ((2 * np.arange(size) + 1) * (extent * UNIT) // (2 * size)).astype(np.int32)
        self._edge = max(1, extent * UNIT // size)  # one pixel: the width of a soft edge

    def window(self, centre: int, reach: int) -> slice:
        """Return the pixels of one axis whose centres lie within `reach` of `centre`, and one more on each side."""
        first, last = np.searchsorted(self.positions, (centre - reach, centre + reach))
        return slice(max(0, int(first) - 1), min(self.size, int(last) + 1))

    def fill(self, paint: Fill) -> None:
        """Paint the whole picture; the labels do not change."""
        self.image[:] = paint.paint(self.positions, self.positions)

    def draw(self, distance: np.ndarray, rows: slice, columns: slice, paint: Fill, label: int) -> None:
        """Paint the inside of an outline over the picture, and label it.

        Args:
            distance: (h, w) int32 signed distances at the pixels of `rows` and `columns`.
            rows: the pixels the distances are for, down.
            columns: the same, across.
            paint: the fill.
            label: the class index to write.
        """
        cover = np.clip(128 - distance * 256 // self._edge, 0, 256)  # (h, w), 0 to 256
        here = self.image[:, rows, columns]  # (3, h, w), a view
        here += (paint.paint(self.positions[columns], self.positions[rows]) - here) * cover >> 8
        self.labels[rows, columns][distance < 0] = label

    def picture(self) -> np.ndarray:
        """Return the picture as (3, H, W) uint8."""
        return self.image.astype(np.uint8)


@dataclass(frozen=True)
class Shape:
    """One object: its kind, place and fill. Lengths are in 1/64 px of the 129-pixel picture."""

    kind: str  # a key of OUTLINES
    x: int
    y: int
    radius: int
    angle: int  # in 1/1024 of a turn
    fill: Fill

    def draw(self, canvas: Canvas, label: int) -> None:
        """Paint and label the shape."""
        reach = self.radius * 5 // 4 + UNIT  # no outline reaches further than 5/4 of the radius
        rows, columns = canvas.window(self.y, reach), canvas.window(self.x, reach)
        x = canvas.positions[columns] - self.x  # (w,)
        y = canvas.positions[rows, None] - self.y  # (h, 1)
        cos, sin = cosine(self.angle), sine(self.angle)
        across = (cos * x + sin * y) // SINE_SCALE  # (h, w)
        down = (cos * y - sin * x) // SINE_SCALE  # (h, w)
        canvas.draw(OUTLINES[self.kind](across, down, self.radius), rows, columns, self.fill, label)


@dataclass(frozen=True)
class Wire:
    """A thin band through the whole picture, straight or bent: an arc of a large circle."""

    x: int  # a point the wire passes through
    y: int
    angle: int  # from that point to the circle's centre, in 1/1024 of a turn
    bend_radius: int
    width: int
    fill: Fill

    def draw(self, canvas: Canvas, label: int) -> None:
        """Paint and label the wire."""
        whole = slice(0, canvas.size)
        x = canvas.positions - (self.x + self.bend_radius * cosine(self.angle) // SINE_SCALE)
        y = canvas.positions[:, None] - (self.y + self.bend_radius * sine(self.angle) // SINE_SCALE)
        distance = np.abs(_length(x, y) - self.bend_radius) - self.width // 2
        canvas.draw(distance, whole, whole, self.fill, label)


def _length(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return √(x² + y²), rounded. Integers below 2^53 are exact in double precision; the root is rounded correctly."""
    return np.rint(np.sqrt(x.astype(np.float64) ** 2 + y.astype(np.float64) ** 2)).astype(np.int32)


# Each takes positions in the object's own axes (h, w) and its radius, and returns signed distances (h, w).
# The proportions keep the areas of a kind's outlines comparable: 3.1, 2.6, 1.9, 2.2 and 2.0 times radius².


def disc(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return the signed distances of a disc."""
    distances: np.ndarray = _length(x, y) - radius
    return distances


def square(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return those of a square of half-side 0.8 radius."""
    distances: np.ndarray = np.maximum(np.abs(x), np.abs(y)) - radius * 4 // 5
    return distances


def triangle(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return those of an equilateral triangle, point up, corners at 1.2 radius: three half-planes at 0.6 radius."""
    # 3547 / 4096 is the cosine of 30 degrees.
    sides: np.ndarray = np.maximum(np.abs(x) * 3547 // SINE_SCALE - y // 2, y) - radius * 3 // 5
    return sides


def ring(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return those of a ring of outer radius 1 and inner radius 0.55."""
    distances: np.ndarray = np.abs(_length(x, y) - radius * 31 // 40) - radius * 9 // 40
    return distances


def cross(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return those of a cross of two bars, 2 radius long and 0.6 radius wide."""
    x, y, half = np.abs(x), np.abs(y), radius * 3 // 10
    distances: np.ndarray = np.minimum(np.maximum(x - radius, y - half), np.maximum(x - half, y - radius))
    return distances


OUTLINES: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "disc": disc,
    "square": square,
    "triangle": triangle,
    "ring": ring,
    "cross": cross,
}
