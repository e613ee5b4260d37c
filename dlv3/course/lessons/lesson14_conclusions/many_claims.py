"""Many claims at once: p-values of paired differences, and Holm's correction for their number."""

import math
import statistics
from collections.abc import Sequence

import numpy as np


def p_value(differences: Sequence[float]) -> float:
    """Return how often noise around 0 alone would give a mean as far from 0, on either side (Student's t).

    Args:
        differences: two or more, one a seed, not all equal.
    """
    n = len(differences)
    t = abs(statistics.fmean(differences)) * math.sqrt(n) / statistics.stdev(differences)
    # With t = sqrt(n - 1) / tan(x) the density of Student's t becomes sin(x)^(n - 2), from x = 0 to pi.
    tail, half = (_area(n - 2, angle) for angle in (math.atan2(math.sqrt(n - 1), t), math.pi / 2))
    return tail / half


def _area(power: int, angle: float) -> float:
    x = np.linspace(0.0, angle, 4001)
    return float(np.trapezoid(np.sin(x) ** power, x))


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return which claims stand, so that the chance that even one is due to luck is at most `level` (Holm, 1979).

    The smallest p-value is compared with level / m, the next with level / (m - 1), and so on up to level / 1;
    the first that is above its bound falls, and so do all that follow.

    Args:
        p_values: one a claim, in any order.
        level: the allowed chance.

    Returns:
        For each claim, in the same order, whether it stands.
    """
    stands = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] > level / (len(p_values) - rank):
            break
        stands[index] = True
    return stands
