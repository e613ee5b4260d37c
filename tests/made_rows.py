"""Rows of the benchmarks that nobody measured, for tests of what is made of rows."""

from benchmarks.interleave import Spread
from benchmarks.machine import Machine
from benchmarks.record import Record
from benchmarks.rows import Row

MACHINE = Machine(
    "cpu", "Some CPU", "AVX2", 2, False, {"torch": "2.15.0", "torchvision": "0.29"}, "abcdef012345", False
)
CASE = {"os": 16, "batch": 4, "size": 513, "threads": 2}
THEIRS = Row("inference", "torchvision", CASE, Spread(2.0, 1.9, 2.2, 9), share=Spread(0.5, 0.4, 0.6, 9))
OURS = Row(
    "inference",
    "dlv3",
    CASE,
    Spread(1.0, 0.95, 1.1, 9),
    ratio=Spread(1.87, 1.8, 1.93, 9),
    baseline_seconds=THEIRS.seconds,
    share=Spread(0.93, 0.9, 0.95, 9),
    difference=4.7e-7,
)
SCENE = Row("data", "a scene", {"size": 129}, Spread(0.0022, 0.0021, 0.0024, 5), note="450 a second")


def made_record(*rows: Row) -> Record:
    return Record(MACHINE, "python -m benchmarks", list(rows), {"metrics": "torchmetrics is not installed"})
