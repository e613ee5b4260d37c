"""Cells that train nothing, for tests of what runs cells: other processes import them from here."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from dlv3.ablations.cell import Cell, Measured
from dlv3.training.stopping import TrainingStopped


@dataclass(frozen=True)
class FakeConfig:
    does: str = "score"
    """"score", "fail", "die", "stop", or "wait" for a minute, unless it is told to end."""
    training: int = 0
    """Cells with the same number share a training."""


@dataclass(frozen=True)
class FakeCell(Cell[FakeConfig]):
    def training_key(self) -> str:
        return str(self.config.training)

    def measure(self, work: Path) -> Measured:
        (work / f"{self.config.training}.{self.row}").write_text(str(os.getpid()))
        if self.config.does == "fail":
            raise ValueError(f"{self.row}: cannot be run")
        if self.config.does == "stop":
            raise TrainingStopped("stopped after iteration 3 of 6, resume with --resume", signal.SIGINT)
        if self.config.does == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.config.does == "wait":
            time.sleep(60)
        return Measured(miou=0.5, iou={}, groups={}, seconds=1.0)


def fake(row: str, does: str = "score", training: int = 0) -> FakeCell:
    return FakeCell("T1", row, "tiny", 0, FakeConfig(does, training))
