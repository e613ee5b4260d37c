"""A cell of the probes' tables: a small network, trained and scored in seconds."""

from dataclasses import dataclass
from pathlib import Path

from dlv3.ablations.cell import Cell, Measured, none_for_nan
from dlv3.ablations.probes.net import ProbeConfig, run_probe
from dlv3.ablations.probes.tables import SCORE


@dataclass(frozen=True)
class ProbeCell(Cell[ProbeConfig]):
    """One row of a probe's table with one seed. No two rows share a training."""

    def measure(self, work: Path) -> Measured:
        """Train and score; nothing is kept in `work`, since a probe takes seconds."""
        result = run_probe(self.config, self.split)
        return Measured(
            miou=result.miou,
            iou=none_for_nan(dict(zip(result.classes, result.iou, strict=True))),
            groups={SCORE: result.accuracy},
            seconds=round(result.seconds, 1),
        )
