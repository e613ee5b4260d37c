"""The table of both worlds has the verdicts of the results' own report."""

import pytest
from made_records import made_record, made_records

from dlv3.course.lessons.lesson12_inference import worlds


def test_claims_have_the_papers_difference_and_ours_in_each_world():
    records = [record for name in worlds.TABLES for record in made_records(name)]
    ours = worlds.found(records, "laptop")
    assert {table for table, _ in ours} == set(worlds.TABLES)
    # In made records each row is one point above the one before it.
    assert ours["T4", "the same weights score higher at output stride 8"].verdict == "reproduced"
    lines = worlds.claims_table(records).splitlines()
    assert len(lines) == 2 + len(ours)
    assert "| T4 | several scales help | +0.88 | not run |" in lines[3]


def test_only_seeds_that_both_rows_have_count():
    records = [made_record("T6", "flip", seed, 0.6) for seed in (0, 1)]
    records.append(made_record("T6", "multi-scale", 1, 0.5))
    (difference,) = worlds.found(records, "laptop").values()
    assert difference.pairs == 1
    assert difference.mean == pytest.approx(10)
