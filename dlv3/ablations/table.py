"""The parts of every table: rows that can be run, and the claims that the rows make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S")
"""The setting that a row runs: the paper's `Setting`, a `ProbeConfig` or a `StudyConfig`."""


@dataclass(frozen=True)
class Row(Generic[S]):
    """One row of a table."""

    name: str
    paper: float | None
    """mIOU in percent; None for a row that the paper does not have."""
    setting: S
    presets: tuple[str, ...] | None = None
    """The presets that have the row; None is all. Controls that the paper does not have run at one scale."""


@dataclass(frozen=True)
class Claim:
    """The claim that one row scores above another, as it does in the paper or as the paper's reasoning says."""

    better: str
    worse: str
    text: str
    score: str = "miou"
    """"miou", or the name of a group of a record ("shapes": the classes that need no scene cue)."""


@dataclass(frozen=True)
class Table(Generic[S]):
    """One of the paper's tables, or one made like them."""

    name: str
    title: str
    section: str
    """Of the paper."""
    rows: tuple[Row[S], ...]
    claims: tuple[Claim, ...]
    """The first one stands for the table where the report is in brief."""
    note: str = ""
    score: str = "miou"
    """The score that the rows are compared by: "miou", or the name of a group of a record."""
    expected: Callable[[Row[S]], float] | None = None
    """A row's score in percent as it follows from how the pictures are made, if it does."""

    def row(self, name: str) -> Row[S]:
        """Return the row with a name.

        Raises:
            ValueError: the table does not have the row.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise ValueError(f"row={name!r}: table {self.name} has {', '.join(row.name for row in self.rows)}")


def rows_of(settings: Mapping[str, S]) -> tuple[Row[S], ...]:
    """Return rows that the paper does not have, by their names."""
    return tuple(Row(name, None, setting) for name, setting in settings.items())


def beats(better: str, worse: str, score: str = "miou", where: str = "") -> Claim:
    """Return the claim that one row beats another, in these words."""
    return Claim(better, worse, f"{better} beats {worse}{where}", score)


def name_of_rates(rates: tuple[int, ...]) -> str:
    """Return the name of a row that differs in its rates, such as "rates 1, 2, 4"."""
    return ("rate " if len(rates) == 1 else "rates ") + ", ".join(map(str, rates))
