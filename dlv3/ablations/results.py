"""Recorded runs, one JSON file for each, and what several of them say together."""

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from dlv3.fields import require
from dlv3.files import write_atomically
from dlv3.ranges import SHARE, Number, Seed, Share, check_fields
from dlv3.typed_json import build, read_object

# The 97.5th percentile of Student's t for 1 to 30 degrees of freedom, as in any table of it.
T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
FEWEST_PAIRS = 3
"""Of runs with equal seeds, for more than "same direction": part of the rule of the verdicts."""


@dataclass(frozen=True)
class Record:
    """One run: a cell of a table, trained and evaluated once."""

    table: str
    row: str
    preset: str
    seed: Seed
    split: str
    miou: Share
    """From 0 to 1."""
    iou: dict[str, float | None]
    """By class; None for a class that does not occur."""
    groups: dict[str, float]
    """Secondary scores by name, from 0 to 1."""
    config: dict[str, Any]
    """The cell's configuration, as plain values."""
    device: str
    versions: dict[str, str]
    commit: str
    seconds: Annotated[float, Number(0, 10**12)]
    """Wall time of the training and of this evaluation."""

    def __post_init__(self) -> None:
        check_fields(self)
        for field, scores in (("iou", self.iou), ("groups", self.groups)):
            for name, score in scores.items():
                holds = SHARE.allows(score) or (field == "iou" and score is None)
                require(f"{field}.{name}", score, holds, SHARE.in_words())

    def score(self, name: str) -> float:
        """Return a score in percent: mIOU ("miou") or that of a group.

        Raises:
            ValueError: the record does not have the group.
        """
        if name != "miou" and name not in self.groups:
            raise ValueError(
                f"{self.path(Path())}: has no score {name!r} in its groups; remove the file and run dlv3 ablate again"
            )
        return 100 * (self.miou if name == "miou" else self.groups[name])

    def path(self, folder: Path) -> Path:
        """Return the record's file in a folder of results."""
        return record_path(folder, self.preset, self.table, self.row, self.seed)

    def write(self, folder: Path) -> Path:
        """Write the record. Returns its path."""
        path = self.path(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())
        return path


def record_path(folder: Path, preset: str, table: str, row: str, seed: int) -> Path:
    """Return the file of a record in a folder of results: PRESET/TABLE/ROW.seedN.json."""
    words = "".join(c if c.isalnum() else " " for c in row).split()
    return folder / preset / table / f"{'-'.join(words)}.seed{seed}.json"


def read_record(path: Path) -> Record:
    """Read one record.

    Raises:
        ValueError: the file is not a record; the message names it and the field.
    """
    values = read_object(path, "a record of a run")
    try:
        return build(Record, values, "record")
    except ValueError as error:
        raise ValueError(f"{path}: not a record of a run ({error})") from error


def read(folder: Path) -> list[Record]:
    """Read all records in a folder of results.

    Raises:
        ValueError: a file is not a record, or is the record of another run than its name says; the message names it.
    """
    records = []
    for path in sorted(folder.glob("*/*/*.json")):
        record = read_record(path)
        if path != record.path(folder):
            raise ValueError(
                f"{path}: is the record of another run, {record.path(folder)}; remove one of the two"
            )
        records.append(record)
    return records


@dataclass(frozen=True)
class Difference:
    """The mean of differences between paired runs (equal seeds), with its 95% confidence interval."""

    mean: float
    low: float
    high: float
    pairs: int
    same_sign: bool
    """Whether all differences are above 0, or all below."""

    @property
    def verdict(self) -> str:
        """The verdict on the claim that the difference is above 0.

        The rule, fixed before any run: "reproduced" if the 95% interval lies above 0, "opposite" if it lies below;
        otherwise "same direction" if every seed's difference is above 0, and else "within noise". Fewer than three
        pairs are never more than "same direction".
        """
        if self.pairs >= FEWEST_PAIRS and self.low > 0:
            return "reproduced"
        if self.pairs >= FEWEST_PAIRS and self.high < 0:
            return "opposite"
        return "same direction" if self.same_sign and self.mean > 0 else "within noise"


def paired_difference(better: Iterable[Record], worse: Iterable[Record], score: str) -> Difference | None:
    """Return the difference better minus worse over the seeds that both have, in points; None without a pair."""
    ours = {record.seed: record.score(score) for record in better}
    theirs = {record.seed: record.score(score) for record in worse}
    seeds = sorted(ours.keys() & theirs.keys())
    return difference([ours[seed] - theirs[seed] for seed in seeds]) if seeds else None


def difference(values: Sequence[float]) -> Difference:
    """Return the mean of one or more differences and its 95% interval (Student's t).

    The interval of a single value is infinite.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("values: expected one or more differences, got none")
    mean = statistics.fmean(values)
    half = math.inf
    if len(values) > 1:
        quantile = T_975[min(len(values) - 1, len(T_975)) - 1]
        half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    same = all(v > 0 for v in values) or all(v < 0 for v in values)
    return Difference(mean, mean - half, mean + half, len(values), same)
