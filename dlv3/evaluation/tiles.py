"""Large pictures in overlapping tiles, so that they are predicted at full resolution in bounded memory.

A pixel's label comes from the tile in which it lies deeper: the cut between two tiles runs through the middle of what
they share. With a quarter of the side shared, each pixel sees an eighth of the side around it, or the picture's edge.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_OVERLAP = 4  # neighbouring tiles share 1 / 4 of their side


@dataclass(frozen=True)
class Span:
    """A tile along one axis: the pixels it shows, `start` to `stop`, and those whose labels it gives."""

    start: int
    stop: int
    first: int
    last: int

    @property
    def shown(self) -> slice:
        """The tile in the picture."""
        return slice(self.start, self.stop)

    @property
    def kept(self) -> slice:
        """The pixels that it gives, in the picture."""
        return slice(self.first, self.last)

    @property
    def inside(self) -> slice:
        """The same pixels in the tile."""
        return slice(self.first - self.start, self.last - self.start)


def tiles(size: tuple[int, int], side: int) -> Iterator[tuple[Span, Span]]:
    """Yield the rows and columns of each tile of a picture; together they give each pixel once.

    Args:
        size: (height, width) of the picture.
        side: pixels of a tile's side at most.
    """
    height, width = size
    for rows in spans(height, side):
        for columns in spans(width, side):
            yield rows, columns


def spans(length: int, side: int) -> list[Span]:
    """Cut a length into tiles of `side` pixels, evenly spaced; one tile where it is not longer than that."""
    if length <= side:
        return [Span(0, length, 0, length)]
    step = side - side // _OVERLAP
    count = 1 + math.ceil((length - side) / step)
    starts = [round(i * (length - side) / (count - 1)) for i in range(count)]
    cuts = [(after + before + side) // 2 for before, after in pairwise(starts)]
    edges = zip([0, *cuts], [*cuts, length], strict=True)
    return [Span(start, start + side, *edge) for start, edge in zip(starts, edges, strict=True)]
