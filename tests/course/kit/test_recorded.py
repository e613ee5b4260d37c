"""Recorded runs in lessons: read by table, printed beside the paper's numbers, with the verdicts of the rule."""

from dataclasses import replace

import pytest
from made_records import made_record

from dlv3.course.kit import recorded as kit

SCORES = {
    "resnet50 block4": [0.30, 0.31, 0.32],
    "resnet50 block7": [0.60, 0.61, 0.625],
    "block7, all rates 1": [0.20, 0.22, 0.25],
}


@pytest.fixture
def records():
    return [
        replace(made_record("T2", row, seed, score), preset="quarter")
        for row, scores in SCORES.items()
        for seed, score in enumerate(scores)
    ]


def test_records_of_a_table_are_read_and_no_others(tmp_path, monkeypatch, records):
    monkeypatch.setattr(kit.assets, "records", lambda: tmp_path)
    for record in [*records, replace(records[0], table="T3", row="(1, 1, 1) block4")]:
        record.write(tmp_path)
    assert len(kit.recorded("quarter", "T2")) == 9
    assert len(kit.recorded("quarter", "T2", "T3")) == 10
    with pytest.raises(FileNotFoundError, match="T5 at preset quarter"):
        kit.recorded("quarter", "T5")


def test_a_row_above_another(records):
    assert kit.above(records, "T2", "resnet50 block7", "resnet50 block4").mean == pytest.approx(
        30.17, abs=0.01
    )
    with pytest.raises(ValueError, match="resnet50 block5"):
        kit.above(records, "T2", "resnet50 block5", "resnet50 block4")


def test_the_papers_numbers_stand_beside_ours(records):
    rows = {"resnet50 block4": "block4", "block7, all rates 1": "control"}
    assert kit.beside_paper("T2", rows, records).splitlines() == [
        "mIOU in %  paper  ours, 95% interval  seeds",
        "block4     64.81  31.0 [28.5, 33.5]       3",
        "control           22.3 [16.1, 28.6]       3",
    ]


def test_verdicts_are_one_a_line(records):
    lines = kit.verdicts("T2", records).splitlines()
    assert "block7 beats block4: the paper +9.07, here +30.2 [+29.4, +30.9]: reproduced" in lines
    control = "block7 beats itself with all rates 1 (equal parameters): here +38.8 [+35.7, +42.0]: reproduced"
    assert control in lines
