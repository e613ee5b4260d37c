"""Outline: large objects whose insides say nothing about their class, and whose outlines share their parts.

A picture of 129 pixels is a quarter of the paper's 513 (§4.1, "Crop size"), and its one to three objects are as large
in it as PASCAL VOC's are in theirs: 0.3 to 0.95 of the picture's side. They take their fills from one bank of textures,
blind to the class. Most classes are built of the same bars and bends: a C is a ring with a gap, a U a frame without a
lid, a T a cross without a head. A pixel on the shared part can only be named by what lies at the object's far end, as
in photos a leg is a horse's or a cow's. Objects may hide a fifth of those behind them.

Everything follows from [seed, split, index] by integer arithmetic (see textures.py): the same bytes on every machine.
A picture's layout does not depend on `size`, which only draws it with more pixels.
"""

import numpy as np

from dlv3.data.made.large_objects import MARGIN_PERCENT, LargeObjects, grown_radii, random_centre
from dlv3.data.made.placed import Layout, OutlineFunction, Painted, Placed, place
from dlv3.data.made.shapes import OUTLINES as CLOSED
from dlv3.data.made.shapes import ring
from dlv3.data.made.textures import CANONICAL_SIZE, UNIT, RandomStream, background_fill, object_fill

Box = tuple[int, int, int, int]  # left, top, right, bottom, in twentieths of the radius


def boxes(*bars: Box) -> OutlineFunction:
    """Return the union of upright bars, as an outline."""

    def outline(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
        distances = [
            np.maximum(
                np.abs(2 * x - (left + right) * radius // 20) - (right - left) * radius // 20,
                np.abs(2 * y - (top + bottom) * radius // 20) - (bottom - top) * radius // 20,
            )
            // 2
            for left, top, right, bottom in bars
        ]
        nearest: np.ndarray = np.minimum.reduce(distances)
        return nearest

    return outline


def c_shape(x: np.ndarray, y: np.ndarray, radius: int) -> np.ndarray:
    """Return distances to a ring with a gap to the right, 0.7 radius wide."""
    gap = np.maximum(-x, np.abs(y) - radius * 7 // 20)
    opened: np.ndarray = np.maximum(ring(x, y, radius), -gap)
    return opened


LEFT, RIGHT = (-18, -18, -7, 18), (7, -18, 18, 18)
TOP, BOTTOM = (-18, -18, 18, -7), (-18, 7, 18, 18)
OUTLINES: dict[str, OutlineFunction] = {
    **CLOSED,
    "frame": boxes(LEFT, RIGHT, TOP, BOTTOM),
    "C": c_shape,
    "T": boxes(TOP, (-6, -18, 6, 20)),
    "U": boxes(LEFT, RIGHT, BOTTOM),
    "H": boxes(LEFT, RIGHT, (-18, -6, 18, 6)),
}
KINDS = ("disc", "square", "triangle", "ring", "C", "cross", "T", "frame", "U", "H")
MAX_TILT = 49  # 0.3 rad, in 1/1024 of a turn
HIDDEN_PERCENT = 20
RADII = grown_radii(30, 95)


class Outline(LargeObjects):
    """Large objects to be named by their outlines: see the module's text, and `LargeObjects` for the arguments."""

    classes = ("ground", *KINDS)
    title = "outline"
    stream_kind = 4_001

    def draw_layout(self, stream: RandomStream) -> Layout:
        ground = background_fill(stream)
        kinds: dict[Placed, str] = {}

        def propose(stream: RandomStream, refused: int) -> Placed:
            kind = stream.pick(KINDS)
            candidate = random_outline(stream, kind, stream.below(len(RADII)), refused)
            kinds[candidate] = kind
            return candidate

        placed = place(stream, stream.between(1, 3), propose, HIDDEN_PERCENT)
        painted = tuple(Painted(p, object_fill(stream), self.classes.index(kinds[p])) for p in placed)
        return Layout(ground, painted)


def random_outline(
    stream: RandomStream, kind: str, size: int, refused: int, extent: int = CANONICAL_SIZE * UNIT
) -> Placed:
    """Draw an outline at any place and tilt.

    Args:
        stream: of random numbers.
        kind: a key of `OUTLINES`.
        size: an index of `RADII`.
        refused: each refused candidate makes the next one 3% smaller.
        extent: the picture's side, in 1/64 px.
    """
    radius = RADII[max(0, size - 7 * refused)] * extent // (CANONICAL_SIZE * UNIT)
    x, y = random_centre(stream, radius * MARGIN_PERCENT // 100, extent)
    return Placed(OUTLINES[kind], x, y, radius, stream.between(-MAX_TILT, MAX_TILT))
