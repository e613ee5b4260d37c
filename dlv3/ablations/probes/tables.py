"""The probes as tables P1, P2, …: one mechanism of the paper each, on pictures whose answer is known.

The tasks are made so that a network is right where it sees the one marker that tells the answer, and can only guess
elsewhere (see `dlv3.data.made.markers` and `dlv3.data.made.cells`). A probe shows that a mechanism does what the paper
says where such context is needed. It does not show how much of that context natural pictures need.

Tables and training were settled on the validation split, with seed 0; data/README.md, section "Probes", lists the
designs that were tried. Only `dlv3 ablate` scores the test split.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from dlv3.ablations.probes.expectation import ground_score, stack_score
from dlv3.ablations.probes.net import ProbeConfig
from dlv3.ablations.table import Claim, Row, Table, beats, name_of_rates, rows_of

SCORE = "accuracy"
CHANCE = "Four colours, so guessing gives 25."


def _beats_all(better: str, others: Iterable[str]) -> tuple[Claim, ...]:
    return tuple(beats(better, other, SCORE) for other in others)


def _p1() -> Table[ProbeConfig]:
    base = ProbeConfig("markers:one", distance=48, batch_size=8, iterations=150)
    rates = (1, 4, 8, 10, 11, 12, 13, 14, 16, 24, 40)
    rows = rows_of({f"rate {rate}": replace(base, rates=(rate,)) for rate in rates})
    claims = _beats_all("rate 12", (f"rate {rate}" for rate in rates if rate != 12))
    note = f"Markers 48 pixels away, 12 steps at output stride 4. {CHANCE}"
    return Table("P1", "The rate that reaches the context", "3.1", rows, claims, note, SCORE)


def _p2() -> Table[ProbeConfig]:
    base = ProbeConfig("markers:mixed", batch_size=16)
    branches = ((1,), (4,), (10,), (18,), (1, 10, 18), (4, 10, 18))
    rows = rows_of({name_of_rates(rates): replace(base, rates=rates) for rates in branches})
    claims = _beats_all(rows[-1].name, (row.name for row in rows[:-1]))
    note = (
        "Markers 16, 40 or 72 pixels away, 4, 10 or 18 steps at output stride 4. All rows have the same 37,460 "
        "parameters: parallel branches share the 64 channels. Four colours, so guessing gives 25; one distance of the "
        "three told and the others guessed gives 50, two give 75."
    )
    return Table("P2", "Parallel rates at equal parameters", "3.3", rows, claims, note, SCORE)


def _p3() -> Table[ProbeConfig]:
    base = ProbeConfig("markers:image", batch_size=8, iterations=200)
    rows = rows_of(
        {
            "rate 1": replace(base, rates=(1,)),
            "rate 1, image pooling": replace(base, rates=(1,), image_pooling=True),
            "rates 4, 10, 18": replace(base, rates=(4, 10, 18)),
            "rates 4, 10, 18, image pooling": replace(base, rates=(4, 10, 18), image_pooling=True),
        }
    )
    claims = (
        *_beats_all("rate 1, image pooling", ("rate 1", "rates 4, 10, 18")),
        beats("rates 4, 10, 18, image pooling", "rates 4, 10, 18", SCORE),
    )
    note = (
        "One marker anywhere; its colour is the class of every disc. Image pooling adds 64 channels, 6,272 "
        f"parameters. {CHANCE}"
    )
    return Table("P3", "Image-level features", "3.3", rows, claims, note, SCORE)


def _p4() -> Table[ProbeConfig]:
    base = ProbeConfig("ground", pictures=1000, batch_size=8, iterations=150)
    rates = (1, 16, 20, 24, 28, 33)
    settings = {f"rate {rate}": replace(base, rates=(rate,)) for rate in rates}
    settings["rate 33, image pooling"] = replace(base, rates=(33,), image_pooling=True)
    claims = (
        beats("rate 16", "rate 1", SCORE),
        *(beats(f"rate {a}", f"rate {b}", SCORE) for a, b in pairwise(rates[1:])),
        beats("rate 33, image pooling", "rate 33", SCORE),
    )
    note = (
        "The ground's colour, out of the reach of rate 1, is the disc's class. On a map of 33×33 fewer and fewer "
        f"positions have an outer weight on the map; at rate 33 none has, and the 3×3 filter is a 1×1. {CHANCE}"
    )
    return Table("P4", "The degenerate filter", "3.3", rows_of(settings), claims, note, SCORE, _on_ground)


def _p5() -> Table[ProbeConfig]:
    base = ProbeConfig("cells:near", batch_size=8)
    stacks = ((1, 1, 1), (2, 2, 2), (1, 2, 1), (1, 2, 3), (1, 2, 4))
    rows = rows_of({str(stack): replace(base, stack=stack) for stack in stacks})
    claims = (
        *_beats_all("(1, 2, 1)", ("(1, 1, 1)", "(2, 2, 2)")),
        *_beats_all("(1, 2, 3)", ("(1, 2, 1)", "(2, 2, 2)")),
        *_beats_all("(1, 2, 4)", ("(1, 2, 1)", "(2, 2, 2)")),
    )
    note = (
        "Markers of one cell at any offset of up to 6 cells each way. (2, 2, 2) spans all of them and sees only the "
        f"even ones. {CHANCE}"
    )
    return Table("P5", "Gridding and multi-grid", "3.2.1", rows, claims, note, SCORE, _by_stack)


def _p6() -> Table[ProbeConfig]:
    base = ProbeConfig("cells:dots", pictures=600, batch_size=4, iterations=100)
    strides = (4, 8, 16, 32)
    rows = rows_of({f"output stride {s}": replace(base, output_stride=s) for s in strides})
    claims = tuple(beats(a.name, b.name, SCORE) for a, b in pairwise(rows))
    note = f"Dots of 4 pixels, told by their own colour. The same weights in every row, only rates differ. {CHANCE}"
    return Table("P6", "Output stride and small objects", "3.2", rows, claims, note, SCORE)


def _p7() -> Table[ProbeConfig]:
    base = ProbeConfig("cells:far", batch_size=8)
    stacks = ((1,), (1, 2), (1, 2, 4), (1, 1, 1, 1), (2, 2, 2, 2), (4, 4, 4, 4), (1, 2, 4, 8))
    rows = rows_of({str(stack): replace(base, stack=stack) for stack in stacks})
    claims = _beats_all("(1, 2, 4, 8)", (row.name for row in rows[:-2]))
    note = (
        "Markers 12 cells away. The last four rows have the same depth and parameters; (4, 4, 4, 4) gets there as "
        f"well, since 12 is one of the few places it sees. {CHANCE}"
    )
    return Table("P7", "A cascade of doubling rates", "3.2", rows, claims, note, SCORE, _by_stack)


def _by_stack(row: Row[ProbeConfig]) -> float:
    return stack_score(row.setting)


def _on_ground(row: Row[ProbeConfig]) -> float:
    return ground_score(row.setting)


PROBES: dict[str, Table[ProbeConfig]] = {t.name: t for t in (_p1(), _p2(), _p3(), _p4(), _p5(), _p6(), _p7())}
