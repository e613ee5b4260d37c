from dataclasses import replace
from pathlib import Path

from made_records import made_records

from dlv3.ablations import EVERY_TABLE, PROBES, STUDIES, TABLES, Record, read
from dlv3.ablations.report import claims_at, findings, report, table_report, tables_with_records, verdicts

RESULTS = Path(__file__).parents[2] / "data" / "results"
RECORD = Record("T1", "output stride 8", "laptop", 0, "test", 0.5, {"a": 0.4, "b": None}, {"shapes": 0.3}, {}, "cpu",
                {}, "abc", 1.0)  # fmt: skip


def records(row: str, scores: list[float]) -> list[Record]:
    return [replace(RECORD, row=row, seed=seed, miou=score / 100) for seed, score in enumerate(scores)]


def test_report_sets_the_paper_beside_ours_and_judges_each_claim():
    runs = records("output stride 8", [60, 61, 62]) + records("output stride 16", [50, 51, 52.5])
    text = table_report(TABLES["T1"], runs, "laptop")
    assert "| output stride 8 | 75.18 | 61.0 ± 1.0 | 30.0 ± 0.0 | 3 |" in text
    assert "| output stride 256 | 20.29 |  |  | 0 |" in text
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


def test_findings_agree_with_the_verdicts():
    runs = read(RESULTS)
    lines = [line.strip("| ").split(" | ") for line in findings(runs, "laptop").splitlines()[2:]]
    whole = verdicts(runs, "laptop").splitlines()
    of_paper = lines[: len(TABLES)]
    assert [line[0] for line in of_paper] == list(TABLES)
    for name, claim, score, paper, ours, held in of_paper:
        rows = [row for row in whole if row.startswith(f"| {name} |")]
        assert rows[0].startswith(f"| {name} | {claim} | {score} | {paper} | {ours} |")
        assert held == f"{sum('| reproduced |' in row for row in rows)} of {len(rows)} reproduced"
    assert [line[0] for line in lines[len(TABLES) :]] == ["P1 to P7", "S1 to S6"]
    studies = next(line for line in whole if line.startswith("Studies"))
    reproduced, opposite = lines[-1][-1].split(" of ")[0], lines[-1][-1].split(", ")[1]
    assert f"{reproduced} reproduced" in studies
    assert opposite in studies


def test_tables_with_records_stand_in_the_catalogues_order():
    runs = made_records("S1") + made_records("T4") + made_records("P2")
    assert tables_with_records(runs, "laptop") == [EVERY_TABLE[name] for name in ("T4", "P2", "S1")]
    assert tables_with_records(runs, "gpu") == []
