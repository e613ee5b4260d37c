"""What a probe's network must score, worked out before any training: right where it sees the answer, else a guess."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dlv3.ablations.probes.net import ProbeConfig
from dlv3.data.made.cells import CellMarkers
from dlv3.data.made.ground import GREY_REACH, Ground
from dlv3.data.made.markers import DISC_RADIUS, SIZE

MAP_SIDE = 33  # of 129 pixels at the stem's output stride 4
STRIDE = 4


def score(seen: float, num_classes: int = 4) -> float:
    """Percent right where a share of the targets is seen and the class of the others is guessed."""
    return 100 * (seen + (1 - seen) / num_classes)


def reached(stack: Sequence[int]) -> frozenset[int]:
    """The offsets along one axis that a stack of 3×3 layers of these rates sees; both axes are alike.

    Each layer adds -rate, 0 or rate. Where the rates have a common divisor, all that lies between its multiples is
    never among the sums: the holes of gridding (section 3.2.1).
    """
    sums = {0}
    for rate in stack:
        sums = {offset + step for offset in sums for step in (-rate, 0, rate)}
    return frozenset(sums)


def stack_score(config: ProbeConfig, split: str = "test") -> float:
    """Percent for a stack on cells: the share of the split's targets whose marker lies at an offset it sees."""
    steps = _steps(config.task.partition(":")[2], split)
    along = reached(config.stack)
    return score(sum(y in along and x in along for y, x in steps) / len(steps))


@lru_cache(maxsize=4)
def _steps(kind: str, split: str) -> tuple[tuple[int, int], ...]:
    """Row and column from each target of a split to its marker, in cells."""
    dataset = CellMarkers(kind, split)
    placed = (each for index in range(len(dataset)) for each in dataset.layout(index))
    return tuple((marker[0] - target[0], marker[1] - target[1]) for target, marker, _ in placed)


def ground_score(config: ProbeConfig, split: str = "test") -> float:
    """Percent for one branch on the ground: the share of disc pixels at which an outer weight falls on the map.

    The share is Fig. 4's of more than one valid weight, over where the discs lie instead of the whole map. An outer
    weight that stays within the disc's grey surroundings is no help.
    """
    (rate,) = config.rates
    if config.image_pooling:
        return score(1.0)
    if STRIDE * rate - DISC_RADIUS <= GREY_REACH:
        return score(0.0)
    at = (
        (2 * np.arange(SIZE) + 1) * MAP_SIDE // (2 * SIZE)
    )  # (129,): the map's position nearest to each pixel
    along = (at >= rate) | (at + rate < MAP_SIDE)  # whether a step to either side stays on the map
    has_outer = along[:, None] | along  # (129, 129): diagonal weights need both steps, straight ones need one
    return score(float(np.mean([has_outer[box].mean() for box in _discs(split)])))


@lru_cache(maxsize=2)
def _discs(split: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """The pixels of each disc of a split, as rows and columns."""
    rows, columns = np.ogrid[-DISC_RADIUS : DISC_RADIUS + 1, -DISC_RADIUS : DISC_RADIUS + 1]
    inside = np.argwhere(rows**2 + columns**2 <= DISC_RADIUS**2) - DISC_RADIUS
    dataset = Ground(split)
    places = (dataset.layout(index)[0] for index in range(len(dataset)))
    return tuple((inside[:, 0] + row, inside[:, 1] + column) for row, column in places)
