"""A cell of a table: one row with one seed, which knows its configuration and how to run itself."""

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

from dlv3.ablations.table import Table
from dlv3.data import Split

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

C = TypeVar("C", bound="DataclassInstance")
"""A cell's configuration: a `RunConfig`, a `ProbeConfig` or a `StudyConfig`."""
K = TypeVar("K", bound="Cell[Any]")

ONE_SCALE = "laptop"
"""The preset under which tables are run and recorded that have one scale: the probes and the studies."""

LATER_FIELDS: dict[str, dict[str, object]] = {
    "model": {"cascade_rate": None, "in_channels": 3},
    "data": {"colours": None, "image_bits": 16},
    "training": {
        "optimizer": "sgd",
        "front_learning_rate": 1.0,
        "class_weights": [],
        "class_balance": "none",
        "keep_best": False,
        "patience": 0,
    },
}
"""Groups of options with fields that are younger than the first trainings, and their defaults. With its default such a
field is left out of training keys, so that trainings of an older version are found."""


class Measured(TypedDict):
    """The result of a cell's run: the scores of its record (see `dlv3.ablations.results.Record`) and its wall time."""

    miou: float
    iou: dict[str, float | None]
    groups: dict[str, float]
    seconds: float


@dataclass(frozen=True)
class Cell(ABC, Generic[C]):
    """One row with one seed."""

    table: str
    row: str
    preset: str
    seed: int
    config: C

    @property
    def split(self) -> Split:
        """The split that is scored: "test", or "val" where the test labels are not public."""
        return "test"

    def values(self) -> dict[str, Any]:
        """Return the configuration as plain values, equal to those that come back from a record's JSON."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self.config)))
        return values

    def training_key(self) -> str:
        """Return a name for everything that the training depends on: cells with the same key share a training."""
        return fingerprint(json.dumps(self.values()))

    @abstractmethod
    def measure(self, work: Path) -> Measured:
        """Train, unless `work` has the training already, and score.

        Args:
            work: a folder for what a stopped sweep needs when it resumes.
        """


def without_later_fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return a run's configuration as plain values, without later fields that have their default."""
    return {
        group: {name: v for name, v in options.items() if (name, v) not in LATER_FIELDS[group].items()}
        if group in LATER_FIELDS
        else options
        for group, options in values.items()
    }


def none_for_nan(iou: Mapping[str, float]) -> dict[str, float | None]:
    """Return IOUs as a record has them: None for a class that does not occur, whose IOU is NaN."""
    return {name: None if math.isnan(value) else value for name, value in iou.items()}


def without_nan(groups: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of groups, without groups of which no class occurs."""
    return {name: value for name, value in groups.items() if not math.isnan(value)}


def fingerprint(text: str) -> str:
    """Return 16 hexadecimal digits that differ where the text does."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def one_scale_cells(
    kind: Callable[[str, str, str, int, C], K], table: Table[C], preset_name: str, seeds: int
) -> list[K]:
    """Return every row and seed of a table that has one scale, seed by seed.

    Args:
        kind: the class of the cells.
        table: a table whose settings are the cells' configurations, with a field `seed`.
        preset_name: `ONE_SCALE`, the only one that is possible.
        seeds: how many, from 0 on.

    Raises:
        ValueError: another preset.
    """
    if preset_name != ONE_SCALE:
        raise ValueError(
            f"{table.name} at preset {preset_name}: the table has one scale; run it at preset {ONE_SCALE}"
        )
    return [
        kind(table.name, row.name, ONE_SCALE, seed, replace(row.setting, seed=seed))
        for seed in range(seeds)
        for row in table.rows
    ]
