"""The recorded runs at a quarter of the paper's scale: complete by seed, of today's configuration, and repeatable."""

import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from dlv3.ablations import TABLES, cells, read, runner
from dlv3.ablations.paper.configure import rows_at

RESULTS = Path(__file__).parents[3] / "data" / "results"
RECORDS = [record for record in read(RESULTS) if record.preset == "quarter"]
SPREADS = 4
"""Standard deviations: far more than seeds differ by, far less than what a wrong rate or schedule costs."""


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r.table} {r.row} {r.seed}")
def test_record_is_of_todays_row_and_configuration(record):
    assert record.row in {row.name for row in rows_at(TABLES[record.table], "quarter")}
    cell = next(
        c
        for c in cells(TABLES[record.table], "quarter", record.seed + 1)
        if (c.row, c.seed) == (record.row, record.seed)
    )
    assert runner.is_done(cell, RESULTS)
    assert record.split == "test"


@pytest.mark.slow
def test_a_recorded_cell_run_again_with_a_new_seed_falls_within_the_spread(tmp_path):
    row = "resnet50 block4"
    scores = [record.score("miou") for record in RECORDS if (record.table, record.row) == ("T2", row)]
    if len(scores) < 3:
        pytest.skip("fewer than three seeds are recorded")
    cell = next(c for c in cells(TABLES["T2"], "quarter", 1) if c.row == row)
    training = replace(cell.config.training, seed=1000)
    again = replace(cell, seed=1000, config=replace(cell.config, training=training))
    [record] = runner.run([again], tmp_path / "results", tmp_path / "work", progress=False)
    spread = max(statistics.stdev(scores), 0.5)
    assert abs(record.score("miou") - statistics.fmean(scores)) < SPREADS * spread
