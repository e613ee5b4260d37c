"""What is measured, row by row: as a line of a table, and as JSON."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarks.interleave import Spread

FLOAT32_LIMIT = 1e-4
"""How far float32 answers may be from torchvision's: logits as a share of the largest, the loss, the gradient."""


class Unavailable(RuntimeError):  # noqa: N818  a reason to leave a section out, and no failure
    """Something that a section needs is not on this machine."""


class ResultsDiffer(RuntimeError):  # noqa: N818  says what happened
    """Two ways to the same answer gave two answers."""


@dataclass(frozen=True)
class Row:
    """One contender in one case."""

    section: str
    what: str
    case: dict[str, Any]
    """What all contenders that are compared have in common: output stride, batch, size, threads, …"""
    seconds: Spread
    """A call."""
    ratio: Spread | None = None
    """How many times as fast as the baseline; None is the baseline, or a row that stands alone."""
    baseline_seconds: Spread | None = None
    share: Spread | None = None
    """Of the machine's own matrix-product rate in the row's type, 1 is all of it; operations on padding do not
    count."""
    difference: float | None = None
    """From the baseline's answers. Inference: the largest of the logits, as a share of the largest logit. Training:
    the larger one of the loss's and any parameter's gradient's, with a smooth activation."""
    dtype: str = "float32"
    """What is multiplied."""
    memory: int | None = None
    """Bytes that a call takes beyond what was there before, at its peak; on a GPU."""
    emulated: bool = False
    """Whether the type is not one that the hardware multiplies."""
    note: str = ""

    @property
    def wrong(self) -> bool:
        """Whether float32 answers are further from the baseline's than they may be."""
        exact = self.dtype == "float32" and self.difference is not None
        return exact and not self.difference <= FLOAT32_LIMIT  # not a number is wrong too

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Row":
        """The row that `to_json` wrote.

        Raises:
            TypeError: other fields.
        """
        spreads = [field.name for field in fields(cls) if "Spread" in str(field.type)]
        read = {n: Spread(**values[n]) for n in spreads if values.get(n) is not None}
        return cls(**{**values, **read})


HEADER = f"{'':28} {'case':34} {'ms (quartiles)':>26} {'times as fast':>20} {'limit':>6} {'differs':>8}"


def line(row: Row) -> str:
    """A row as a line under `HEADER`."""
    case = " ".join(f"{name} {value}" for name, value in row.case.items())
    parts = [
        f"{row.what:28}",
        f"{case:34}",
        f"{milliseconds(row.seconds):>26}",
        f"{times(row.ratio):>20}",
        f"{percent(row.share):>6}",
        f"{'' if row.difference is None else f'{row.difference:.1e}':>8}",
    ]
    return " ".join([*parts, remarks(row)]).rstrip()


def remarks(row: Row) -> str:
    """What a row says beyond its numbers."""
    memory = "" if row.memory is None else f"{row.memory / 2**20:.0f} MiB"
    return ", ".join(filter(None, ["emulated" if row.emulated else "", memory, row.note]))


def milliseconds(spread: Spread) -> str:
    """Such as 12.3 (12.1–12.6)."""
    return _with_quartiles(spread.times(1000), _three_digits)


def times(spread: Spread | None) -> str:
    """Such as 1.87 (1.80–1.91); nothing for None."""
    return "" if spread is None else _with_quartiles(spread, lambda value: f"{value:.2f}")


def percent(spread: Spread | None) -> str:
    return "" if spread is None else f"{100 * spread.median:.0f}%"


def _with_quartiles(spread: Spread, shown: Any) -> str:
    if spread.count == 1:
        return shown(spread.median)
    return f"{shown(spread.median)} ({shown(spread.low)}–{shown(spread.high)})"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
