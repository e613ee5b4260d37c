"""metrics.jsonl: one JSON object a line, in step with the checkpoint."""

import json
from pathlib import Path

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


def test_file_shorter_than_the_checkpoint_knows_is_not_padded(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("{}\n")
    MetricsFile(path, keep=100).close()
    assert path.read_text() == "{}\n"
