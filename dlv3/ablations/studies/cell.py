"""One row of a study on the scenes with one seed, as the runner asks for it."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from dlv3.ablations.cell import Measured
from dlv3.ablations.paper.tables import Table
from dlv3.ablations.studies.features import Features, features
from dlv3.ablations.studies.net import StudyConfig, score_head, train_head

PRESET = "laptop"  # a study has one scale, and it is what a laptop runs


@dataclass(frozen=True)
class StudyCell:
    """One row of a study, one seed. A `Cell`."""

    table: str
    row: str
    preset: str
    seed: int
    config: StudyConfig
    split: str = "test"

    def values(self) -> dict[str, Any]:
        """The `StudyConfig`, as plain values."""
        return json.loads(json.dumps(asdict(self.config)))

    def training_key(self) -> str:
        """A name for the whole configuration: no two rows share a training."""
        return hashlib.sha256(json.dumps(self.values()).encode()).hexdigest()[:16]

    def measure(self, work: Path) -> Measured:
        """Train and score; nothing is left in `work`, since a head takes seconds."""
        read, scored = self._read("train", self.config.pictures), self._read(self.split, None)
        started = perf_counter()
        counts, groups = score_head(train_head(self.config, read), scored)
        iou = dict(zip(scored.classes, counts.iou().tolist(), strict=True))
        groups |= {name: _mean(iou, scored, of) for name, of in scored.groups.items()}
        discs = ("sun", "coin") if self.config.scene_cue else ("disc",)
        groups["discs"] = sum(iou[name] for name in discs) / len(discs)
        return Measured(
            miou=counts.miou(), iou=iou, groups=groups, seconds=round(perf_counter() - started, 1)
        )

    def _read(self, split: str, pictures: int | None) -> Features:
        c = self.config
        return features(c.blocks, c.output_stride, c.scene_cue, c.size, split, pictures)


def _mean(iou: dict[str, float], data: Features, of: tuple[int, ...]) -> float:
    return sum(iou[data.classes[index]] for index in of) / len(of)


def study_cells(table: Table, preset_name: str, seeds: int) -> list[StudyCell]:
    """Every row and seed of a study, seed by seed.

    Raises:
        ValueError: a preset other than "laptop".
    """
    if preset_name != PRESET:
        raise ValueError(
            f"{table.name} at preset {preset_name}: studies have one scale; run them at preset {PRESET}"
        )
    return [
        StudyCell(table.name, row.name, PRESET, seed, replace(row.setting, seed=seed))
        for seed in range(seeds)
        for row in table.rows
    ]
