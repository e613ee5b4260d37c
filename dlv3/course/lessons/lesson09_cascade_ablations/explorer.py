"""The interval explorer: one comparison repeated many times, with the intervals and verdicts that result."""

import math
from collections import Counter

import numpy as np
import traitlets as t

from dlv3.ablations.results import Difference, difference
from dlv3.course.kit.explorer import Explorer, in_tenths

REPETITIONS = 2000
MOST_SEEDS = 20


class IntervalExplorer(Explorer):
    """Imaginary repetitions of a comparison whose true effect is known: how often intervals and verdicts are right.

    Each run's score is its row's true score plus normal noise. A part of the noise comes with the seed, the same for
    both rows; the rest is the run's own.

    Args:
        seeds: 1 to 20, pairs of runs in one repetition.
        effect: the true difference, better row minus worse row, 0 to 5 points in tenths.
        noise: standard deviation of one run's score, 0.5 to 4 points in tenths.
        shared: the share of the variance that comes with the seed, 0 to 90 percent in tens.
        pairing: "equal" if both rows run with the same seeds, "other" if each row has its own.
        draw: 1 to 20; another number is another set of repetitions.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "interval"

    seeds = t.Int(3, min=1, max=MOST_SEEDS).tag(sync=True, state=True)
    effect = t.Float(1.0, min=0.0, max=5.0).tag(sync=True, state=True)
    noise = t.Float(1.0, min=0.5, max=4.0).tag(sync=True, state=True)
    shared = t.Enum(tuple(range(0, 100, 10)), default_value=50).tag(sync=True, state=True)
    pairing = t.Enum(("equal", "other"), default_value="equal").tag(sync=True, state=True)
    draw = t.Int(1, min=1, max=20).tag(sync=True, state=True)

    @t.validate("effect", "noise")
    def _in_tenths(self, proposal: t.Bunch) -> float:
        return in_tenths(proposal)

    @property
    def spread(self) -> float:
        """The true standard deviation of one pair's difference, in points."""
        left = 1 - self.shared / 100 if self.pairing == "equal" else 1.0
        return float(self.noise * math.sqrt(2 * left))

    @property
    def differences(self) -> np.ndarray:
        """(2000, seeds): in each repetition, the difference of each pair of runs, in points."""
        repetition, seed = np.ogrid[:REPETITIONS, : self.seeds]
        place = 4 * ((self.draw * REPETITIONS + repetition) * MOST_SEEDS + seed)  # (2000, seeds)
        u = [_hashed(place + i + 1) for i in range(4)]
        # Box and Muller's normal numbers from even ones.
        far = [np.sqrt(-2 * np.log(1 - u[0])), np.sqrt(-2 * np.log(1 - u[2]))]
        better, worse = far[0] * np.cos(math.tau * u[1]), far[0] * np.sin(math.tau * u[1])
        brought, other = far[1] * np.cos(math.tau * u[3]), far[1] * np.sin(math.tau * u[3])
        own, common = self.noise * math.sqrt(1 - self.shared / 100), self.noise * math.sqrt(self.shared / 100)
        left = common * (brought - other) if self.pairing == "other" else 0.0
        drawn: np.ndarray = self.effect + own * (better - worse) + left
        return drawn

    @property
    def repetitions(self) -> list[Difference]:
        """Each repetition's mean difference with its interval and verdict, by the ablations' own rule."""
        return [found for row in self.differences.tolist() if (found := difference(row))]

    @property
    def counts(self) -> dict[str, int]:
        """Repetitions of the 2,000 whose interval holds the true effect, and repetitions with each verdict."""
        found = self.repetitions
        holds = sum(one.low <= self.effect <= one.high for one in found)
        return {"holds": holds} | Counter(one.verdict for one in found)


def _hashed(place: np.ndarray) -> np.ndarray:
    """Return numbers from 0 to 1, even and without pattern: 32-bit hashes by two rounds of multiply and shift."""
    x = place.astype(np.uint32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x735A2D97)
    return (x ^ (x >> np.uint32(15))) / 2.0**32
