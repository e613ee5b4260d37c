"""The world explorer: what sampling leaves of an object, and how much of its evidence each network sees."""

from dataclasses import dataclass

import numpy as np
import torch
import traitlets as t

from dlv3.ablations.paper.ceiling import sampled_scores
from dlv3.course.kit.explorer import Explorer
from dlv3.deeplab import upsample

SIDES = (65, 129, 257, 513)
REACHES = (15, 31, 47, 95, 191, 241, 251)
BLOCKS = (4, 5, 6, 7)
# The H's left bar, crossbar and right bar end at these 36ths of its side: those of the class H of the data set outline.
LEG, UPPER, LOWER = 11, 12, 24
PLACES = 3


@dataclass(frozen=True)
class Counts:
    """Pixels of an object, over all its places."""

    both: int
    """Right: in the object and in what is left of it."""
    either: int
    """In one of the two or in both."""


class WorldExplorer(Explorer):
    """One object on one picture: its true labels put through a map, and the pixels that see it whole.

    The object is an H. Its labels are sampled where the map's samples lie and upsampled to the picture again, at nine
    places half a step or so apart. A pixel sees the object whole if its field of view holds the H's four sides.

    Args:
        side: 65, 129, 257 or 513, the picture's, in pixels.
        percent: 10 to 90 in fives, the object's side in percent of the picture's.
        output_stride: 4, 8, 16 or 32.
        reach: pixels to each side that block4 sees; each further block adds as much as to double it.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "world"

    side = t.Enum(SIDES, default_value=129).tag(sync=True, state=True)
    percent = t.Enum(tuple(range(10, 95, 5)), default_value=65).tag(sync=True, state=True)
    output_stride = t.Enum((4, 8, 16, 32), default_value=4).tag(sync=True, state=True)
    reach = t.Enum(REACHES, default_value=47).tag(sync=True, state=True)

    @property
    def object_side(self) -> int:
        """The object's side in pixels."""
        return max(6, (self.percent * self.side + 50) // 100)

    @property
    def map_side(self) -> int:
        """Samples along a side of the map."""
        return -(-self.side // self.output_stride)

    @property
    def shape(self) -> np.ndarray:
        """(L, L) bool, the object's pixels."""
        middle = 18 * (
            2 * np.arange(self.object_side) + 1
        )  # of each pixel, in 36ths of the side, times the side
        side = self.object_side
        legs = (middle < LEG * side) | (middle > (36 - LEG) * side)  # (L,)
        bar = (middle > UPPER * side) & (middle < LOWER * side)  # (L,)
        return bar[:, None] | legs[None, :]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Top and left of the object at its nine places."""
        room = self.side - self.object_side
        steps = [min(room, room // 2 + step * self.output_stride // PLACES) for step in range(PLACES)]
        return [(top, left) for top in steps for left in steps]

    @property
    def counts(self) -> Counts:
        """Pixels that the object and what the map leaves of it have in common, and pixels of either."""
        both = either = 0
        for top, left in self.places:
            labels = torch.zeros(1, self.side, self.side, dtype=torch.long)
            labels[0, top : top + self.object_side, left : left + self.object_side] = torch.from_numpy(
                self.shape
            )
            scores = sampled_scores(labels, self.output_stride, 2).double()
            left_over = upsample(scores, (self.side, self.side)).argmax(1)
            both += int((labels & left_over).sum())
            either += int((labels | left_over).sum())
        return Counts(both, either)

    @property
    def ceiling(self) -> float:
        """The object's IOU that sampling leaves, from 0 to 1."""
        return self.counts.both / self.counts.either

    @property
    def reaches(self) -> dict[int, int]:
        """By block, how many pixels the last one of the network sees to each side."""
        return {block: (self.reach + 1) * 2 ** (block - BLOCKS[0]) - 1 for block in BLOCKS}

    @property
    def seen(self) -> dict[int, int]:
        """By block, the object's pixels whose field of view holds the whole object."""
        places = np.argwhere(self.shape)  # (n, 2)
        needed = np.maximum(places, self.object_side - 1 - places).max(1)  # (n,)
        return {block: int((needed <= reach).sum()) for block, reach in self.reaches.items()}
