"""The score that a probe's network must reach, worked out before any training.

The network is right where it sees the answer, and guesses elsewhere.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dlv3.ablations.probes.net import ProbeConfig
from dlv3.data.made.cells import CellMarkers
from dlv3.data.made.ground import GREY_REACH, Ground
from dlv3.data.made.markers import DISC_RADIUS, SIZE

STRIDE = 4
"""The output stride of the probes' stem."""
MAP_SIDE = 33
"""The side of the stem's map of 129 pixels."""


def score(seen: float, num_classes: int = 4) -> float:
    """Return the percentage that is right where a share of the targets is seen and the other classes are guessed."""
    return 100 * (seen + (1 - seen) / num_classes)


def reached(stack: Sequence[int]) -> frozenset[int]:
    """Return the offsets along one axis that a stack of 3×3 layers of these rates sees; both axes are alike.

    Each layer adds -rate, 0 or rate. If the rates have a common divisor, every sum is a multiple of it, and the
    offsets between are never seen: the holes of gridding (section 3.2.1).
    """
    sums = {0}
    for rate in stack:
        sums = {offset + step for offset in sums for step in (-rate, 0, rate)}
    return frozenset(sums)


def stack_score(config: ProbeConfig, split: str = "test") -> float:
    """Return the score in percent of a stack on cells, from the share of targets whose marker the stack sees."""
    steps = _steps(config.task.partition(":")[2], split)
    along = reached(config.stack)
    return score(sum(y in along and x in along for y, x in steps) / len(steps))


@lru_cache(maxsize=4)
def _steps(kind: str, split: str) -> tuple[tuple[int, int], ...]:
    """Return the rows and columns from each target of a split to its marker, in cells."""
    dataset = CellMarkers(kind, split)
    placed = (each for index in range(len(dataset)) for each in dataset.layout(index))
    return tuple((marker[0] - target[0], marker[1] - target[1]) for target, marker, _ in placed)


def ground_score(config: ProbeConfig, split: str = "test") -> float:
    """Return the score in percent of one branch on the ground.

    A branch sees the answer at the disc pixels where an outer weight of its filter falls on the map. Their share is
    Fig. 4's share of positions with more than one valid weight, taken over the discs instead of the whole map. An
    outer weight that stays within the disc's grey surroundings does not help.
    """
    (rate,) = config.rates
    if config.image_pooling:
        return score(1.0)
    if STRIDE * rate - DISC_RADIUS <= GREY_REACH:
        return score(0.0)
    # (129,): the map's position nearest to each pixel.
    at = (2 * np.arange(SIZE) + 1) * MAP_SIDE // (2 * SIZE)
    # Whether a step to one of the two sides stays on the map.
    along = (at >= rate) | (at + rate < MAP_SIDE)
    # Diagonal weights need both steps, straight ones need one.
    has_outer = along[:, None] | along  # (129, 129)
    return score(float(np.mean([has_outer[box].mean() for box in _discs(split)])))


@lru_cache(maxsize=2)
def _discs(split: str) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return the pixels of each disc of a split, as rows and columns."""
    rows, columns = np.ogrid[-DISC_RADIUS : DISC_RADIUS + 1, -DISC_RADIUS : DISC_RADIUS + 1]
    inside = np.argwhere(rows**2 + columns**2 <= DISC_RADIUS**2) - DISC_RADIUS
    dataset = Ground(split)
    places = (dataset.layout(index)[0] for index in range(len(dataset)))
    return tuple((inside[:, 0] + row, inside[:, 1] + column) for row, column in places)
