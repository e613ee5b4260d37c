"""What the runner asks of a cell: one row of a table with one seed."""

from pathlib import Path
from typing import Any, Protocol, TypedDict


class Measured(TypedDict):
    """What running a cell gives: a record's scores (see `Record`) and its wall time."""

    miou: float
    iou: dict[str, float | None]
    groups: dict[str, float]
    seconds: float


class Cell(Protocol):
    """One row, one seed: it knows its place, what it is made of, and how to run itself."""

    @property
    def table(self) -> str: ...

    @property
    def row(self) -> str: ...

    @property
    def preset(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def split(self) -> str:
        """What is scored: "test", or "val" where nobody has the test's labels."""
        ...

    def values(self) -> dict[str, Any]:
        """The configuration as plain values, the same as when they come back from JSON."""
        ...

    def training_key(self) -> str:
        """A name for everything that the training depends on: cells with the same one share it."""
        ...

    def measure(self, work: Path) -> Measured:
        """Train, unless that was done before, and score.

        Args:
            work: a folder for what should outlast a sweep that is stopped.
        """
        ...
