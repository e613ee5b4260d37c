"""The probes as tables P1, P2, …: one mechanism of the paper each, on pictures whose answer is known.

The tasks are made so that a network is right where it sees the one marker that tells the answer, and can only guess
elsewhere (see `dlv3.data.made.markers` and `dlv3.data.made.cells`). What a probe shows is that a mechanism does what
the paper says of it where such context is needed; not how much of it natural pictures need.

Tables and training were settled on the validation split, with seed 0; which designs were tried stands in
data/README.md, section "Probes". The test split is scored by `dlv3 ablate` alone.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from dlv3.ablations.cell import Measured
from dlv3.ablations.paper.tables import Claim, Row, Table
from dlv3.ablations.probes.expectation import ground_score, stack_score
from dlv3.ablations.probes.net import ProbeConfig, run_probe

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


def _beats(better: str, worse: Iterable[str]) -> tuple[Claim, ...]:
    return tuple(Claim(better, row, f"{better} beats {row}", SCORE) for row in worse)


def _rows(settings: dict[str, ProbeConfig]) -> tuple[Row, ...]:
    return tuple(Row(name, None, config) for name, config in settings.items())


def _p1() -> Table:
    base = ProbeConfig("markers:one", distance=48, batch_size=8, iterations=150)
    rates = (1, 4, 8, 10, 11, 12, 13, 14, 16, 24, 40)
    rows = _rows({f"rate {rate}": replace(base, rates=(rate,)) for rate in rates})
    claims = _beats("rate 12", (f"rate {rate}" for rate in rates if rate != 12))
    note = f"Markers 48 pixels away, 12 steps at output stride 4. {CHANCE}"
    return Table("P1", "The rate that reaches the context", "3.1", rows, claims, note, SCORE)


def _p2() -> Table:
    base = ProbeConfig("markers:mixed", batch_size=16)
    branches = ((1,), (4,), (10,), (18,), (1, 10, 18), (4, 10, 18))
    rows = _rows({_rates(rates): replace(base, rates=rates) for rates in branches})
    claims = _beats(rows[-1].name, (row.name for row in rows[:-1]))
    note = (
        "Markers 16, 40 or 72 pixels away, 4, 10 or 18 steps at output stride 4. All rows have the same 37,460 "
        "parameters: parallel branches share the 64 channels. Four colours, so guessing gives 25; one distance of the "
        "three told and the others guessed gives 50, two give 75."
    )
    return Table("P2", "Parallel rates at equal parameters", "3.3", rows, claims, note, SCORE)


def _p3() -> Table:
    base = ProbeConfig("markers:image", batch_size=8, iterations=200)
    rows = _rows(
        {
            "rate 1": replace(base, rates=(1,)),
            "rate 1, image pooling": replace(base, rates=(1,), image_pooling=True),
            "rates 4, 10, 18": replace(base, rates=(4, 10, 18)),
            "rates 4, 10, 18, image pooling": replace(base, rates=(4, 10, 18), image_pooling=True),
        }
    )
    claims = (
        *_beats("rate 1, image pooling", ("rate 1", "rates 4, 10, 18")),
        *_beats("rates 4, 10, 18, image pooling", ("rates 4, 10, 18",)),
    )
    note = (
        "One marker anywhere; its colour is the class of every disc. Image pooling adds 64 channels, 6,272 "
        f"parameters. {CHANCE}"
    )
    return Table("P3", "Image-level features", "3.3", rows, claims, note, SCORE)


def _p4() -> Table:
    base = ProbeConfig("ground", pictures=1000, batch_size=8, iterations=150)
    rates = (1, 16, 20, 24, 28, 33)
    settings = {f"rate {rate}": replace(base, rates=(rate,)) for rate in rates}
    settings["rate 33, image pooling"] = replace(base, rates=(33,), image_pooling=True)
    claims = (
        *_beats("rate 16", ("rate 1",)),
        *(claim for a, b in pairwise(rates[1:]) for claim in _beats(f"rate {a}", (f"rate {b}",))),
        *_beats("rate 33, image pooling", ("rate 33",)),
    )
    note = (
        "The ground's colour, out of the reach of rate 1, is the disc's class. On a map of 33×33 fewer and fewer "
        f"positions have an outer weight on the map; at rate 33 none has, and the 3×3 filter is a 1×1. {CHANCE}"
    )
    return Table("P4", "The degenerate filter", "3.3", _rows(settings), claims, note, SCORE, _on_ground)


def _p5() -> Table:
    base = ProbeConfig("cells:near", batch_size=8)
    stacks = ((1, 1, 1), (2, 2, 2), (1, 2, 1), (1, 2, 3), (1, 2, 4))
    rows = _rows({str(stack): replace(base, stack=stack) for stack in stacks})
    claims = (
        *_beats("(1, 2, 1)", ("(1, 1, 1)", "(2, 2, 2)")),
        *_beats("(1, 2, 3)", ("(1, 2, 1)", "(2, 2, 2)")),
        *_beats("(1, 2, 4)", ("(1, 2, 1)", "(2, 2, 2)")),
    )
    note = (
        "Markers of one cell at any offset of up to 6 cells each way. (2, 2, 2) spans all of them and sees only the "
        f"even ones. {CHANCE}"
    )
    return Table("P5", "Gridding and multi-grid", "3.2.1", rows, claims, note, SCORE, _by_stack)


def _p6() -> Table:
    base = ProbeConfig("cells:dots", pictures=600, batch_size=4, iterations=100)
    strides = (4, 8, 16, 32)
    rows = _rows({f"output stride {s}": replace(base, output_stride=s) for s in strides})
    claims = tuple(claim for a, b in pairwise(rows) for claim in _beats(a.name, (b.name,)))
    note = f"Dots of 4 pixels, told by their own colour. The same weights in every row, only rates differ. {CHANCE}"
    return Table("P6", "Output stride and small objects", "3.2", rows, claims, note, SCORE)


def _p7() -> Table:
    base = ProbeConfig("cells:far", batch_size=8)
    stacks = ((1,), (1, 2), (1, 2, 4), (1, 1, 1, 1), (2, 2, 2, 2), (4, 4, 4, 4), (1, 2, 4, 8))
    rows = _rows({str(stack): replace(base, stack=stack) for stack in stacks})
    claims = _beats("(1, 2, 4, 8)", (row.name for row in rows[:-2]))
    note = (
        "Markers 12 cells away. The last four rows have the same depth and parameters; (4, 4, 4, 4) gets there as "
        f"well, since 12 is one of the few places it sees. {CHANCE}"
    )
    return Table("P7", "A cascade of doubling rates", "3.2", rows, claims, note, SCORE, _by_stack)


def _rates(rates: tuple[int, ...]) -> str:
    return ("rate " if len(rates) == 1 else "rates ") + ", ".join(map(str, rates))


def _by_stack(row: Row) -> float:
    return stack_score(row.setting)


def _on_ground(row: Row) -> float:
    return ground_score(row.setting)


PROBES: dict[str, Table] = {t.name: t for t in (_p1(), _p2(), _p3(), _p4(), _p5(), _p6(), _p7())}
