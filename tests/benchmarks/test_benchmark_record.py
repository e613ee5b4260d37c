"""What is recorded is read again as it was, and the front page follows from it."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.interleave import Spread
from benchmarks.machine import Machine
from benchmarks.options import RECORDS
from benchmarks.record import CLOSING, OPENING, Record, page, published, read, with_tables
from benchmarks.rows import Row, line

ROOT = Path(__file__).parents[2]
VERSIONS = {"torch": "2.15.0", "torchvision": "0.29"}
MACHINE = Machine("cpu", "Some CPU", "AVX2", 2, False, VERSIONS, "abcdef012345", False)
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


def record(*rows: Row) -> Record:
    return Record(MACHINE, "python -m benchmarks", list(rows), {"metrics": "torchmetrics is not installed"})


def test_the_front_page_follows_from_the_records():
    front = ROOT / "README.md"
    command = "python -m benchmarks --publish README.md"
    assert front.read_text() == with_tables(front, published(ROOT / RECORDS)), f"run: {command}"


def test_recorded_float32_answers_are_torchvisions():
    for path in (ROOT / RECORDS).glob("*.json"):
        rows = read(path).rows
        assert not [row for row in rows if row.wrong]
        assert [row for row in rows if row.difference is not None]


def test_a_record_is_read_as_it_was_written(tmp_path):
    written = record(THEIRS, OURS, SCENE)
    written.write(tmp_path / "new" / "cpu.json")
    assert read(tmp_path / "new" / "cpu.json") == written


def test_tables_say_ratio_limit_difference_and_what_was_not_measured():
    text = page(record(THEIRS, OURS, SCENE))
    assert "Some CPU, AVX2, 2 cores, no bfloat16; torch 2.15.0, torchvision 0.29, commit abcdef0" in text
    assert "| dlv3 | 16 | 4 × 513² | 2 | 2000 (1900–2200) | 1000 (950–1100) | **1.87 (1.80–1.93)** |" in text
    assert "| 93% (torchvision 50%) | 5e-07 |" in text
    assert "| data | a scene | size 129 | 2.20 (2.10–2.40) |  | 450 a second |" in text
    changed = replace(record(OURS), machine=replace(MACHINE, changed=True))
    assert "commit abcdef0 with changes:" in page(changed)
    assert "Not measured, metrics: torchmetrics is not installed" in text
    assert "training step" not in text


def test_a_gpus_table_has_memory_for_threads():
    case = {"os": 16, "batch": 4, "size": 513}
    text = page(record(replace(THEIRS, case=case), replace(OURS, case=case, memory=300 * 2**20)))
    assert "| batch | memory |" in text
    assert "| 4 × 513² | 300 MiB |" in text


def test_a_line_of_the_table_marks_what_is_emulated():
    assert "emulated" not in line(OURS)
    assert "1.87 (1.80–1.93)" in line(OURS)
    assert line(replace(OURS, emulated=True)).endswith("emulated")


@pytest.mark.parametrize(
    ("difference", "dtype", "wrong"),
    [
        (9e-5, "float32", False),
        (2e-4, "float32", True),
        (float("nan"), "float32", True),
        (0.02, "bfloat16", False),
        (None, "float32", False),
    ],
)
def test_float32_alone_has_to_agree(difference, dtype, wrong):
    assert replace(OURS, difference=difference, dtype=dtype).wrong is wrong


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": []}', '{"rows": [{"what": 1}]}'])
def test_other_files_are_no_records(tmp_path, content):
    path = tmp_path / "cpu.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"cpu.json: is no record of python -m benchmarks"):
        published(tmp_path)


def test_a_folder_without_records_and_a_page_without_a_place_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing is recorded; run python -m benchmarks --json"):
        published(tmp_path)
    front = tmp_path / "README.md"
    front.write_text("no place")
    with pytest.raises(ValueError, match="to write the tables between"):
        with_tables(front, "tables")
    front.write_text(f"before\n{OPENING}\nold\n{CLOSING}\nafter\n")
    assert with_tables(front, "new") == f"before\n{OPENING}\nnew\n{CLOSING}\nafter\n"
