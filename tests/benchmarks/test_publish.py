"""The published pages follow from the records."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_rows import CASE, MACHINE, OURS, SCENE, THEIRS, made_record

from benchmarks.interleave import Spread
from benchmarks.options import RECORDS
from benchmarks.publish import FRONT_BLOCK, headlines, page, publish, recorded, tables

ROOT = Path(__file__).parents[2]


def test_the_pages_in_the_repository_follow_from_its_records():
    records = recorded(ROOT / RECORDS)
    command = "run: python -m benchmarks --publish README.md"
    front = ROOT / "README.md"
    assert front.read_text() == FRONT_BLOCK.placed(headlines(records), front), command
    assert (ROOT / RECORDS / "README.md").read_text() == page(records), command


def test_tables_say_ratio_limit_difference_and_what_was_not_measured():
    text = tables(made_record(THEIRS, OURS, SCENE))
    assert "Some CPU, AVX2, 2 cores, no bfloat16; torch 2.15.0, torchvision 0.29, commit abcdef0" in text
    assert "| dlv3 | 16 | 4 × 513² | 2 | 2000 (1900–2200) | 1000 (950–1100) | **1.87 (1.80–1.93)** |" in text
    assert "| 93% (torchvision 50%) | 5e-07 |" in text
    assert "| data | a scene | size 129 | 2.20 (2.10–2.40) |  |  | 450 a second |" in text
    assert "lead" not in text
    changed = replace(made_record(OURS), machine=replace(MACHINE, changed=True))
    assert "commit abcdef0 with changes:" in tables(changed)
    assert "Not measured, metrics: torchmetrics is not installed" in text
    assert "training step" not in text


def test_a_gpus_table_has_memory_for_threads():
    case = {"os": 16, "batch": 4, "size": 513}
    record = made_record(replace(THEIRS, case=case), replace(OURS, case=case, memory=300 * 2**20))
    assert "| batch | memory |" in tables(record)
    assert "| 4 × 513² | 300 MiB |" in tables(record)
    assert "| 16 | 4 × 513² |  | 2000 (1900–2200) |" in headlines([record])


def test_the_lead_over_the_fastest_other_runtime_is_shown():
    peer = replace(OURS, what="OpenVINO")
    ours = replace(OURS, lead=Spread(1.364, 1.3, 1.4, 9), rival="OpenVINO")
    record = made_record(THEIRS, ours, peer)
    text = tables(record)
    assert "| differs | lead over the fastest other |" in text
    assert "| 5e-07 | 1.36 times OpenVINO |" in text
    assert "| 5e-07 |  |" in text, "of the other runtime itself"
    assert "| **1.87 (1.80–1.93)** | 1.36 times OpenVINO |" in headlines([record])


def test_memory_at_its_peak_and_kept_is_shown():
    row = replace(OURS, section="memory", memory=900 * 2**20, kept=600 * 2**20)
    assert "900 MiB at the peak, 600 MiB kept" in tables(made_record(row))


def test_headlines_are_the_first_case_at_each_output_stride():
    at_8 = replace(OURS, case={**CASE, "os": 8})
    more_threads = replace(OURS, case={**CASE, "threads": 4})
    step = replace(OURS, section="training")
    text = headlines([made_record(THEIRS, OURS, more_threads, at_8, step, SCENE)])
    assert [line.split(" | ")[:4] for line in text.splitlines() if "1.87" in line] == [
        ["| inference", "16", "4 × 513²", "2"],
        ["| inference", "8", "4 × 513²", "2"],
        ["| training step", "16", "4 × 513²", "2"],
    ]
    assert headlines([made_record(SCENE)]) == ""


def test_publishing_writes_both_pages_and_is_repeatable(tmp_path):
    made_record(THEIRS, OURS, SCENE).write(tmp_path / "records" / "cpu.json")
    front = tmp_path / "README.md"
    front.write_text(f"before\n{FRONT_BLOCK.opening}\nold\n{FRONT_BLOCK.closing}\nafter\n")
    written = publish(tmp_path / "records", front)
    assert written == [front, tmp_path / "records" / "README.md"]
    assert "| inference | 16 |" in front.read_text()
    assert "| data | a scene |" not in front.read_text()
    assert "| data | a scene |" in written[1].read_text()
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in publish(tmp_path / "records", front)] == before


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing is recorded; run python -m benchmarks --json"):
        recorded(tmp_path)
