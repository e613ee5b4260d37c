"""The rows that are measured, as lines of a table and as JSON."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from benchmarks.interleave import Spread

Case = dict[str, int | str]
FLOAT32_LIMIT = 1e-4
"""The most that float32 answers may differ from torchvision's: logits as a share of the largest, loss, gradient."""


class Unavailable(RuntimeError):  # noqa: N818  a reason to leave a section out, not an error
    """Something that a section needs is not on this machine."""


@dataclass(frozen=True)
class Missing:
    """A row that could not be measured on this machine, with the reason."""

    section: str
    what: str
    reason: str


class ResultsDiffer(RuntimeError):  # noqa: N818  says what happened
    """Two computations of the same answer gave two answers."""


@dataclass(frozen=True)
class Row:
    """One contender in one case."""

    section: str
    what: str
    case: Case
    """The common values of the contenders that are compared: output stride, batch, size, threads, …"""
    seconds: Spread
    """Of one call."""
    ratio: Spread | None = None
    """How many times as fast as the baseline; None for the baseline, or for a row without one."""
    baseline_seconds: Spread | None = None
    share: Spread | None = None
    """The rate of useful operations as a share of the machine's own matrix products in the row's type; operations on
    padding do not count."""
    lead: Spread | None = None
    """How many times as fast ours is as the fastest of the other runtimes; None for those, or where there are none."""
    rival: str = ""
    """The fastest of the other runtimes."""
    difference: float | None = None
    """From the baseline's answers. Inference: the largest difference of logits, as a share of the largest logit.
    Training: the largest of those of the loss and of each parameter's gradient, with a smooth activation."""
    dtype: str = "float32"
    """The type that is multiplied."""
    memory: int | None = None
    """Bytes that a call needs at its peak, beyond those in use before: on a GPU, or for a process of its own."""
    kept: int | None = None
    """Bytes that are still in use after the calls, beyond those in use before the model was there."""
    emulated: bool = False
    """Whether the hardware does not multiply the type."""
    note: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        """What it measures; a later measurement of the same takes its place."""
        return self.section, self.what, self.dtype, *sorted(self.case.items())

    @property
    def wrong(self) -> bool:
        """True if float32 answers differ too much from the baseline's."""
        if self.dtype != "float32" or self.difference is None:
            return False
        return not self.difference <= FLOAT32_LIMIT  # not a number is wrong, too

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Row":
        """Return the row with the values of `to_json`.

        Raises:
            TypeError: the fields are others.
        """
        spreads = [field.name for field in fields(cls) if "Spread" in str(field.type)]
        read = {n: Spread(**values[n]) for n in spreads if values.get(n) is not None}
        return cls(**{**values, **read})


HEADER = f"{'':28} {'case':34} {'ms (quartiles)':>26} {'times as fast':>20} {'limit':>6} {'differs':>8}"


def line(row: Row) -> str:
    """Return a row as a line under `HEADER`."""
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
    """Return what a row says beyond its numbers."""
    parts = [
        "emulated" if row.emulated else "",
        ahead(row),
        "" if row.memory is None else f"{mebibytes(row.memory)} at the peak",
        "" if row.kept is None else f"{mebibytes(row.kept)} kept",
        row.note,
    ]
    return ", ".join(filter(None, parts))


def ahead(row: Row) -> str:
    """Return the lead over the fastest of the other runtimes, such as 1.36 times OpenVINO; an empty text for None."""
    return "" if row.lead is None else f"{row.lead.median:.2f} times {row.rival}"


def mebibytes(count: int) -> str:
    """Return a number of bytes, such as 158 MiB."""
    return f"{count / 2**20:.0f} MiB"


def milliseconds(spread: Spread) -> str:
    """Return a time, such as 12.3 (12.1–12.6)."""
    return _with_quartiles(spread.times(1000), _three_digits)


def times(spread: Spread | None) -> str:
    """Return a ratio, such as 1.87 (1.80–1.91); an empty text for None."""
    return "" if spread is None else _with_quartiles(spread, lambda value: f"{value:.2f}")


def percent(spread: Spread | None) -> str:
    """Return a share, such as 69%; an empty text for None."""
    return "" if spread is None else f"{100 * spread.median:.0f}%"


def _with_quartiles(spread: Spread, shown: Callable[[float], str]) -> str:
    if spread.count == 1:
        return shown(spread.median)
    return f"{shown(spread.median)} ({shown(spread.low)}–{shown(spread.high)})"


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
