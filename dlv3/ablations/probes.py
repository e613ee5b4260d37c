"""The probes as tables P1, P2, …: one mechanism of the paper each, on pictures whose answer is known.

The tasks are made so that a network is right where it sees the one marker that tells the answer, and can only guess
elsewhere (see `dlv3.data.markers` and `dlv3.data.cells`). What a probe shows is that a mechanism does what the paper
says of it where such context is needed; not how much of it natural pictures need.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlv3.ablations.cell import Measured
from dlv3.ablations.probe_net import ProbeConfig, run_probe
from dlv3.ablations.tables import Claim, Row, Table

PRESET = "laptop"  # a probe has one scale, and it is what a laptop runs
SCORE = "accuracy"
CHANCE = "Four colours, so guessing gives 25."


@dataclass(frozen=True)
class ProbeCell:
    """One row of a probe's table, one seed. A `Cell`."""

    table: str
    row: str
    preset: str
    seed: int
    config: ProbeConfig
    split: str = "test"

    def values(self) -> dict[str, Any]:
        """The `ProbeConfig`, as plain values."""
        return json.loads(json.dumps(asdict(self.config)))

    def training_key(self) -> str:
        """A name for the whole configuration: no two rows share a training."""
        return hashlib.sha256(json.dumps(self.values()).encode()).hexdigest()[:16]

    def measure(self, work: Path) -> Measured:
        """Train and score; nothing is left in `work`, since a probe takes seconds."""
        result = run_probe(self.config, self.split)
        return Measured(
            miou=result.miou,
            iou=dict(zip(result.classes, result.iou, strict=True)),
            groups={SCORE: result.accuracy},
            seconds=round(result.seconds, 1),
        )


def probe_cells(table: Table, preset_name: str, seeds: int) -> list[ProbeCell]:
    """Every row and seed of a probe's table, seed by seed.

    Raises:
        ValueError: a preset other than "laptop".
    """
    if preset_name != PRESET:
        raise ValueError(
            f"{table.name} at preset {preset_name}: probes have one scale; run them at preset {PRESET}"
        )
    return [
        ProbeCell(table.name, row.name, PRESET, seed, replace(row.setting, seed=seed))
        for seed in range(seeds)
        for row in table.rows
    ]


def _p1() -> Table:
    rates = (1, 4, 8, 10, 11, 12, 13, 14, 16, 24, 40)
    rows = tuple(
        Row(f"rate {rate}", None, ProbeConfig("markers:one", distance=48, rates=(rate,))) for rate in rates
    )
    claims = tuple(
        Claim("rate 12", f"rate {rate}", f"the matching rate, 12, beats {rate}", SCORE)
        for rate in rates
        if rate != 12
    )
    note = f"Markers 48 pixels away: 12 steps at output stride 4. {CHANCE}"
    return Table("P1", "The rate that reaches the context", "3.1", rows, claims, note, SCORE)


PROBES: dict[str, Table] = {table.name: table for table in (_p1(),)}
