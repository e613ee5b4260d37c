"""Scores of a row at a quarter of the paper's scale that are known before any training: by sampling, and by reach."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from dlv3.ablations.paper.ceiling import sampling_ceiling
from dlv3.ablations.paper.configure import configuration
from dlv3.ablations.paper.reach import heads_score, outline_score
from dlv3.ablations.paper.tables import Setting
from dlv3.ablations.table import Row
from dlv3.data import Split, open_dataset
from dlv3.deeplab import DeepLabV3Config

BY_REACH: dict[str, Callable[[DeepLabV3Config, str], float]] = {
    "heads": heads_score,
    "outline": outline_score,
}
"""The data sets on which reach alone gives a score."""
SPLIT: Split = "test"
"""The split on which the tables are scored."""


@dataclass(frozen=True)
class Bounds:
    """Scores in percent; None where there is none."""

    ceiling: float | None = None
    """Of true labels sampled where the row's last map has its samples."""
    by_reach: float | None = None
    """Of a network that names what its units can see and guesses the rest."""

    def as_text(self) -> tuple[str, str]:
        """Return both with one decimal, and "" for None."""
        ceiling, by_reach = (
            "" if score is None else f"{score:.1f}" for score in (self.ceiling, self.by_reach)
        )
        return ceiling, by_reach


def bounds_at(row: Row[Setting], preset_name: str) -> Bounds:
    """Return the bounds of a row of the paper's tables, on the test split's pictures.

    Args:
        row: its setting is a `Setting`.
        preset_name: one of `QUARTER`.
    """
    config = configuration(row.setting, preset_name)
    output_stride = config.evaluation.output_stride or config.model.output_stride
    reach = _by_reach(config.dataset, config.model) if config.dataset in BY_REACH else None
    return Bounds(_ceiling(config.dataset, output_stride), reach)


@cache
def _ceiling(dataset: str, output_stride: int) -> float:
    return 100 * sampling_ceiling(open_dataset(dataset, SPLIT), output_stride)


@cache
def _by_reach(dataset: str, model: DeepLabV3Config) -> float:
    return 100 * BY_REACH[dataset](model, SPLIT)
