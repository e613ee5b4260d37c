from dataclasses import replace
from pathlib import Path

import pytest
from made_records import made_records

from dlv3.ablations import EVERY_TABLE, PROBES, STUDIES, TABLES, Record, read
from dlv3.ablations.report import (
    claims_at,
    claims_by_table,
    note_on_seeds,
    report,
    reproduced,
    table_report,
    tables_with_records,
    verdicts,
)

RESULTS = Path(__file__).parents[2] / "data" / "results"
RECORD = Record("T1", "output stride 8", "laptop", 0, "test", 0.5, {"a": 0.4, "b": None}, {"shapes": 0.3}, {}, "cpu",
                {}, "abc", 1.0)  # fmt: skip


def records(row: str, scores: list[float]) -> list[Record]:
    return [replace(RECORD, row=row, seed=seed, miou=score / 100) for seed, score in enumerate(scores)]


def test_report_sets_the_paper_beside_ours_and_judges_each_claim():
    runs = records("output stride 8", [60, 61, 62]) + records("output stride 16", [50, 51, 52.5])
    text = table_report(TABLES["T1"], runs, "laptop")
    assert "| output stride 8 | 75.18 | 61.0 ± 1.0 | 30.0 ± 0.0 | 3 |" in text
    assert "| output stride 256 | 20.29 |  |  | 0 of 3 |" in text
    assert "| output stride 8 beats 16 | mIOU | +1.30 | +9.8 [+9.1, +10.6] | 3 | reproduced |" in text
    assert "| output stride 16 beats 32 | mIOU | +3.82 |  | 0 | not run |" in text
    assert "**T1**" in report(runs, "laptop")
    assert report(runs, "gpu") == "No recorded runs at preset gpu.\n"


def test_claims_of_a_preset_are_those_whose_rows_it_has():
    assert {c.better for c in claims_at(TABLES["T2"], "laptop")} == {f"resnet50 block{b}" for b in (5, 6, 7)}
    assert len(claims_at(TABLES["T2"], "paper")) == 6


def test_verdicts_list_every_claim_of_the_papers_tables_and_count_the_others():
    runs = made_records("T1") + made_records("P6") + made_records("S6")
    text = verdicts(runs, "laptop")
    assert text.count("| T1 | ") == len(TABLES["T1"].claims)
    assert f"Probes, {len(PROBES)} tables: " in text
    assert f"Studies, {len(STUDIES)} tables: " in text
    assert verdicts(runs, "gpu") == ""


@pytest.mark.parametrize("preset_name", ["quarter", "laptop"])
def test_counts_agree_with_the_verdicts(preset_name):
    runs = [record for record in read(RESULTS) if record.preset == preset_name]
    whole = verdicts(runs, preset_name).splitlines()
    for name, claims in claims_by_table(runs, preset_name).items():
        rows = [row for row in whole if row.startswith(f"| {name} |")]
        if name in TABLES:
            assert [row.split(" | ")[-1] for row in rows] == [f"{claim[-1]} |" for claim in claims]
        counted = reproduced(claims)
        enough = [claim for claim in claims if int(claim[-2]) >= 3]
        assert ("open" in counted) == (len(enough) < len(claims))
        if enough:
            assert counted.startswith(
                f"{sum(claim[-1] == 'reproduced' for claim in claims)} of {len(claims)}"
            )


def test_counts_name_opposites_and_claims_with_too_few_seeds():
    def claim(seeds: int, verdict: str) -> list[str]:
        return ["", "mIOU", "", "", str(seeds), verdict]

    held, against, few = claim(3, "reproduced"), claim(5, "opposite"), claim(2, "same direction")
    assert reproduced([held, held, against]) == "2 of 3, 1 opposite"
    assert reproduced([held, few]) == "1 of 2, 1 open"
    assert reproduced([few, claim(0, "not run")]) == "2 open"


def test_rows_at_a_quarter_have_controls_bounds_intervals_and_seeds(monkeypatch):
    monkeypatch.setattr("dlv3.ablations.paper.bounds._ceiling", lambda dataset, output_stride: 91.7)
    monkeypatch.setattr("dlv3.ablations.paper.bounds._by_reach", lambda dataset, model: 29.3)
    runs = [
        replace(RECORD, table="T2", preset="quarter", groups={}, row=row, seed=seed, miou=score / 100)
        for row, scores in (("resnet50 block4", [30, 31, 32]), ("block7, all rates 1", [20, 22]))
        for seed, score in enumerate(scores)
    ]
    text = table_report(TABLES["T2"], runs, "quarter")
    assert (
        "|  | paper | ceiling from sampling | by reach alone | parameters | sees, px | mIOU | 95% interval |"
        in text
    )
    assert "| resnet50 block4 | 64.81 | 91.7 | 29.3 | 26,235 | 47 | 31.0 ± 1.0 | [28.5, 33.5] | 3 |" in text
    assert (
        "| *control*: block7, all rates 1 |  | 91.7 | 29.3 | 57,339 | 71 | 21.0 ± 1.4 | [8.3, 33.7] | 2 of 3 |"
        in text
    )
    assert "| block7, twice the schedule |  | 91.7 | 29.3 | 57,339 | 383 |  |  | 0 of 3 |" in text


def test_tables_with_records_stand_in_the_catalogues_order():
    runs = made_records("S1") + made_records("T4") + made_records("P2")
    assert tables_with_records(runs, "laptop") == [EVERY_TABLE[name] for name in ("T4", "P2", "S1")]
    assert tables_with_records(runs, "gpu") == []


def test_verdicts_of_one_or_two_seeds_come_with_what_they_cannot_say():
    texts = [note_on_seeds(made_records("T1", seeds)) for seeds in (1, 2, 3)]
    assert [text.split(":")[0] for text in texts] == ["One run of each row", "Two runs of each row", ""]
    assert note_on_seeds([]) == ""
