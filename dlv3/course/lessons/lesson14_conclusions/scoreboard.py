"""The paper's claims with their verdicts, from the recorded runs: as a list, as marks, and with intervals."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dlv3.ablations.catalogue import EVERY_TABLE
from dlv3.ablations.report import claims_at
from dlv3.ablations.results import Difference, Record, difference
from dlv3.course.kit.plots import BLUE, GREEN, INK, VERMILLION

_MARKS = {
    "reproduced": ("o", GREEN, True),
    "same direction": (">", BLUE, True),
    "within noise": ("o", INK, False),
    "opposite": ("X", VERMILLION, True),
}


@dataclass(frozen=True)
class Judged:
    """A claim, and what the recorded runs say of it.

    Args:
        table: its table.
        text: its words.
        paper: the paper's difference in points; None where the paper does not have both rows.
        values: ours, one for each seed that both rows have, in points.
    """

    table: str
    text: str
    paper: float | None
    values: tuple[float, ...]

    @property
    def found(self) -> Difference:
        """The mean of our differences, with its interval and its verdict."""
        return difference(self.values)


def judged(records: Iterable[Record], preset: str, *, kinds: str = "T", photos: bool = False) -> list[Judged]:
    """Return the claims that have recorded runs of both rows.

    Args:
        records: of any tables and presets.
        preset: the preset.
        kinds: the first letters of the tables: T for the paper's, P for probes, S for studies.
        photos: whether the records are those of a folder of photos.
    """
    by_row: dict[tuple[str, str], dict[int, Record]] = {}
    for record in records:
        if record.preset == preset:
            by_row.setdefault((record.table, record.row), {})[record.seed] = record
    board = []
    for name, table in EVERY_TABLE.items():
        for claim in claims_at(table, preset, photos=photos) if name[0] in kinds else ():
            better, worse = (by_row.get((name, row), {}) for row in (claim.better, claim.worse))
            seeds = sorted(better.keys() & worse.keys())
            if seeds:
                values = [better[s].score(claim.score) - worse[s].score(claim.score) for s in seeds]
                stated = [table.row(row).paper for row in (claim.better, claim.worse)]
                paper = None if stated[0] is None or stated[1] is None else stated[0] - stated[1]
                board.append(Judged(name, claim.text.removesuffix(" (resnet50)"), paper, tuple(values)))
    return board


def counted(board: Sequence[Judged]) -> str:
    """Return how many claims have which verdict, in words."""
    counts = Counter(claim.found.verdict for claim in board)
    parts = [f"{counts[verdict]} {verdict}" for verdict in _MARKS if counts[verdict]]
    return f"{len(board)} claims: {', '.join(parts)}"


def marks_figure(boards: Mapping[str, Sequence[Judged]]) -> Figure:
    """Return boards as a figure: a panel for each, a row for each table and a mark for each claim."""
    figure, axes = plt.subplots(1, len(boards), figsize=(9.6, 3.7), squeeze=False)
    for axis, (title, board) in zip(axes[0], boards.items(), strict=True):
        names = list(dict.fromkeys(claim.table for claim in board))
        for row, name in enumerate(names):
            for column, claim in enumerate(claim for claim in board if claim.table == name):
                _mark(axis, column, row, claim.found.verdict)
        axis.set_yticks(range(len(names)), names)
        axis.set(title=title, xlim=(-0.7, 6.7), ylim=(len(names) - 0.5, -0.5), xticks=[])
        axis.grid(False)
    keys = [_mark(axes[0, 0], np.nan, np.nan, verdict) for verdict in _MARKS]
    figure.legend(keys, list(_MARKS), loc="outside lower center", ncols=len(_MARKS))
    return figure


def forest_figure(board: Sequence[Judged]) -> Figure:
    """Return each claim as a line: the paper's difference, and ours with its interval and the mark of its verdict."""
    figure, axis = plt.subplots(figsize=(8.6, 7.6))
    for row, claim in enumerate(board):
        found = claim.found
        if claim.paper is not None:
            axis.plot(claim.paper, row, "D", color=BLUE, mfc="none")
        if found.pairs > 1:
            axis.plot([found.low, found.high], [row, row], "-", color=_MARKS[found.verdict][1], marker="")
        _mark(axis, found.mean, row, found.verdict, size=7)
    axis.axvline(0, color=INK, lw=1, marker="")
    axis.set_yticks(range(len(board)), [f"{claim.table}  {claim.text}" for claim in board], fontsize=8)
    axis.set(xlim=(-6, 42), ylim=(len(board) - 0.5, -0.8), xlabel="difference in points")
    # Aligned with the right rim: the claims take half of the figure, and a centred title would be cut off.
    axis.set_title("Open diamonds: the paper; marks as above: ours, with the 95% interval", loc="right")
    return figure


def _mark(axis: Axes, x: float, y: float, verdict: str, size: float = 9) -> Line2D:
    marker, colour, filled = _MARKS[verdict]
    (line,) = axis.plot(
        [x],
        [y],
        ls="",
        marker=marker,
        color=colour,
        markersize=size,
        mew=1.6,
        mfc=colour if filled else "none",
    )
    return line
