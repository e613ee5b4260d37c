"""metrics.jsonl: one JSON object a line, in step with the checkpoint."""

import json
from pathlib import Path

import pytest

from dlv3.training.metrics_file import MetricsFile


def test_metrics_are_one_json_object_a_line(finished: Path):
    records = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    train_, validation = ([r for r in records if r["kind"] == kind] for kind in ("train", "validation"))
    assert [r["iteration"] for r in train_] == [2, 4]
    assert set(train_[0]) == {"kind", "iteration", "loss", "learning_rate", "pictures_per_second"}
    assert [r["iteration"] for r in validation] == [3, 4]
    assert set(validation[0]["iou"]) >= {"background", "sun", "wire"}
    assert 0 <= validation[0]["miou"] <= 1


def test_metrics_file_is_cut_back_to_what_the_checkpoint_knows(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path)
    file.write({"iteration": 1})
    known = file.push()
    file.write({"iteration": 2})
    file.close()
    again = MetricsFile(path, known)
    again.write({"iteration": 2, "iou": {"wire": float("nan")}})
    again.close()
    assert path.read_text() == '{"iteration": 1}\n{"iteration": 2, "iou": {"wire": null}}\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_an_error_that_names_the_file_once(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path)
    with Path("/dev/full").open("ab", buffering=0) as file._file:
        with pytest.raises(OSError, match=r"metrics.jsonl: cannot be written: No space left on device; make"):
            file.write({"iteration": 1})
        file.close()


def test_file_shorter_than_the_checkpoint_knows_is_not_padded(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("{}\n")
    MetricsFile(path, keep=100).close()
    assert path.read_text() == "{}\n"
