"""The gains from a plain ResNet to the paper's best score as a waterfall: the paper's, and the recorded ones."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlv3.ablations.paper.tables import TABLES
from dlv3.ablations.results import Difference, Record, paired_difference
from dlv3.course.kit.plots import BLUE, GREEN, INK, ORANGE

Step = tuple[str, str]
"""A table and its row."""
CHAIN: dict[str, Step] = {
    "plain": ("T5", "(1, 1, 1), no ASPP"),
    "ASPP": ("T5", "(1, 1, 1)"),
    "multi-grid (1, 2, 4)": ("T5", "(1, 2, 4)"),
    "image pooling": ("T5", "(1, 2, 4), image pooling"),
    "output stride 8 instead of 16": ("T6", "output stride 8"),
    "six scales": ("T6", "multi-scale"),
    "mirror images": ("T6", "flip"),
}
"""Each step's name, and the row that is reached by it."""
DATA = {"pretraining on COCO": 82.70, "test set, second stage": 85.7}
"""The paper's last two steps, Tables 6 and 7: the mIOU in percent that they reach."""
_KINDS = {
    "the network": (BLUE, "", 3),
    "the evaluation": (GREEN, "//", 3),
    "the data": (ORANGE, "..", 1),
    "another set": (INK, "xx", 1),
}
"""What a step changes: colour, hatch, and how many steps in a row."""


def paper(table: str, row: str) -> float:
    """Return the paper's mIOU of a row, in percent."""
    score = TABLES[table].row(row).paper
    if score is None:
        raise ValueError(f"row={row!r}: the paper has no such row in table {table}")
    return score


def paper_chain() -> dict[str, float]:
    """Return what each step of the paper reaches, in percent; the plain network first."""
    return {name: paper(*step) for name, step in CHAIN.items()} | DATA


def gains_of(chain: Mapping[str, float]) -> dict[str, float]:
    """Return each step's gain, in points."""
    return {name: after - chain[before] for (before, _), (name, after) in pairwise(chain.items())}


def recorded_gains(records: Sequence[Record], score: str = "miou") -> dict[str, Difference]:
    """Return each step's gain over the seeds that both of its rows have.

    Args:
        records: those of one preset.
        score: "miou", or a group of classes.

    Raises:
        ValueError: a step has no pair of runs.
    """
    gains = {}
    for (_, before), (name, after) in pairwise(CHAIN.items()):
        ours, theirs = ([r for r in records if (r.table, r.row) == step] for step in (after, before))
        found = paired_difference(ours, theirs, score)
        if found is None:
            raise ValueError(f"records: no two runs of equal seeds for the step {name!r}")
        gains[name] = found
    return gains


def draw(axis: Axes, start: float, gains: Mapping[str, float]) -> None:
    """Draw each step as a bar that begins where the one before ended.

    Args:
        axis: where to.
        start: where the first bar begins.
        gains: in the order of `CHAIN`, with or without the paper's last two steps.
    """
    kinds = [kind for kind, (*_, count) in _KINDS.items() for _ in range(count)]
    at = start
    for place, (gain, kind) in enumerate(zip(gains.values(), kinds, strict=False)):
        colour, hatch, _ = _KINDS[kind]
        label = kind if kinds.index(kind) == place else None
        axis.barh(place, gain, 0.7, at, color=colour, hatch=hatch, edgecolor="white", label=label)
        axis.text(max(at, at + gain) + 0.2, place, f"{gain:+.1f}", va="center", fontsize=9)
        at += gain
    axis.set_yticks(range(len(gains)), list(gains))
    axis.invert_yaxis()
    axis.grid(False, axis="y")


def waterfall(start: float, gains: Mapping[str, float], title: str, *, height: float = 3.6) -> Figure:
    """Return a waterfall as a figure.

    Args:
        start: the plain network's score, in percent.
        gains: each step's gain, in points.
        title: of the figure.
        height: in inches.
    """
    figure, axis = plt.subplots(figsize=(8.2, height))
    draw(axis, start, gains)
    reached = [start]
    for gain in gains.values():
        reached.append(reached[-1] + gain)
    room = 0.12 * (max(reached) - min(reached))
    axis.set(title=title, xlabel="mIOU in %", xlim=(min(reached) - room / 2, max(reached) + room))
    axis.legend(loc="lower left")
    return figure
