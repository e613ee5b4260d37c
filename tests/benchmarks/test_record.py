"""A record is read as it was written."""

from pathlib import Path

import pytest
from made_rows import OURS, SCENE, THEIRS, made_record

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


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": []}', '{"rows": [{"what": 1}]}'])
def test_other_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "cpu.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"cpu.json: not a record of python -m benchmarks"):
        read(path)
