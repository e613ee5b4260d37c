"""A record is read as it was written."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_rows import MACHINE, OURS, SCENE, THEIRS, made_record

from benchmarks.options import RECORDS
from benchmarks.record import read

ROOT = Path(__file__).parents[2]


def test_recorded_float32_answers_are_torchvisions():
    for path in (ROOT / RECORDS).glob("*.json"):
        rows = read(path).rows
        assert not [row for row in rows if row.wrong]
        assert [row for row in rows if row.difference is not None]


def test_a_record_is_read_as_it_was_written(tmp_path):
    written = made_record(THEIRS, OURS, SCENE)
    written.write(tmp_path / "new" / "cpu.json")
    assert read(tmp_path / "new" / "cpu.json") == written


def test_rows_of_an_earlier_run_stay_where_nothing_newer_was_measured():
    earlier = replace(made_record(THEIRS, OURS), command="python -m benchmarks inference")
    newer = replace(OURS, note="again")
    later = replace(made_record(newer, SCENE), command="python -m benchmarks data", skipped={})
    both = later.beside(earlier)
    assert both.rows == [THEIRS, newer, SCENE]
    assert both.command == "python -m benchmarks inference; python -m benchmarks data"
    assert both.skipped == earlier.skipped
    assert later.beside(both).command == both.command, "a command that is repeated stands there once"


def test_rows_of_another_commit_do_not_stay():
    earlier = replace(made_record(THEIRS), machine=replace(MACHINE, commit="another"))
    assert made_record(SCENE).beside(earlier) == made_record(SCENE)


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": []}', '{"rows": [{"what": 1}]}'])
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "cpu.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"cpu.json: not a record of python -m benchmarks"):
        read(path)
