"""Objects at their places: outlines turned and moved, hiding one another, and a picture made of them.

All lengths are whole numbers in 1/64 px of the 129-pixel picture (`textures.UNIT`), whatever size is drawn, and what
is placed is decided on the 129-pixel picture, so that a layout does not depend on the size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlv3.data.made.shapes import Canvas
from dlv3.data.made.textures import CANONICAL_SIZE, SINE_SCALE, UNIT, Fill, RandomStream, cosine, sine

# Takes positions in the object's own axes, (h, w) each, and its radius; returns signed distances (h, w).
OutlineFunction = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
TRIES = 40  # places to try for an object before it is left out


@dataclass(frozen=True)
class Placed:
    """An outline at its place."""

    outline: OutlineFunction
    x: int
    y: int
    radius: int
    angle: int  # in 1/1024 of a turn

    def distances(self, canvas: Canvas) -> tuple[np.ndarray, slice, slice]:
        """Return signed distances (h, w) around the object, and the canvas rows and columns that they are for."""
        reach = self.radius * 3 // 2 + UNIT  # no outline reaches further than the corner of its square
        rows, columns = canvas.window(self.y, reach), canvas.window(self.x, reach)
        x = canvas.positions[columns] - self.x  # (w,)
        y = canvas.positions[rows, None] - self.y  # (h, 1)
        cos, sin = cosine(self.angle), sine(self.angle)
        across = (cos * x + sin * y) // SINE_SCALE  # (h, w)
        down = (cos * y - sin * x) // SINE_SCALE  # (h, w)
        return self.outline(across, down, self.radius), rows, columns

    def covered(self) -> np.ndarray:
        """Return the pixels of the 129-pixel picture that lie inside: (129, 129) bool."""
        inside = np.zeros((CANONICAL_SIZE, CANONICAL_SIZE), bool)
        distances, rows, columns = self.distances(Canvas(CANONICAL_SIZE))
        inside[rows, columns] = distances < 0
        return inside


@dataclass(frozen=True)
class Painted:
    """An outline at its place, with its fill and its label."""

    placed: Placed
    fill: Fill
    label: int


@dataclass(frozen=True)
class Layout:
    """All that is in a picture, from back to front."""

    ground: Fill
    objects: tuple[Painted, ...]

    def draw(self, size: int, extent: int = CANONICAL_SIZE) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture (3, size, size) and its labels (size, size), both uint8.

        Args:
            size: side in pixels.
            extent: the side in pixels of the 129-pixel picture.
        """
        canvas = Canvas(size, extent=extent)
        canvas.fill(self.ground)
        for thing in self.objects:
            distances, rows, columns = thing.placed.distances(canvas)
            canvas.draw(distances, rows, columns, thing.fill, thing.label)
        return canvas.picture(), canvas.labels


def place(
    stream: RandomStream, count: int, propose: Callable[[RandomStream, int], Placed], hidden_percent: int
) -> list[Placed]:
    """Place objects from back to front.

    Args:
        stream: of random numbers.
        count: objects to place; one that fits nowhere after `TRIES` proposals is left out.
        propose: draws the next candidate, given how many were refused before it.
        hidden_percent: how much of an object the ones in front of it may hide together.

    Returns:
        The placed objects, the backmost first.
    """
    placed: list[Placed] = []
    visible: list[np.ndarray] = []  # of each placed object the pixels that nothing hides, (129, 129) bool
    areas: list[int] = []
    for _ in range(count):
        for refused in range(TRIES):
            candidate = propose(stream, refused)
            covered = candidate.covered()
            left = [seen & ~covered for seen in visible]
            if all(
                100 * int(seen.sum()) >= (100 - hidden_percent) * area
                for seen, area in zip(left, areas, strict=True)
            ):
                placed.append(candidate)
                visible = [*left, covered]
                areas.append(int(covered.sum()))
                break
    return placed
