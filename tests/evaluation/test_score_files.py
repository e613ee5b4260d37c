"""The files of an evaluation: names that lose no other score, and what they replace."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dlv3.evaluation import ConfusionMatrix, Evaluation, EvaluationConfig
from dlv3.evaluation.confusion_picture import draw_confusion
from dlv3.evaluation.score_files import file_name, require_replaceable, write_scores

PLAIN = EvaluationConfig()


@pytest.fixture(scope="module")
def found() -> Evaluation:
    counts = ConfusionMatrix(3)
    counts.update(torch.tensor([[[0, 0, 1, 1]]]), torch.tensor([[[0, 1, 1, 255]]]))
    return Evaluation.of(counts, ("ground", "a, b", "c"), {}, PLAIN, images=1, seconds=1.0, output_stride=16)


def test_run_on_its_own_data_has_a_short_name():
    assert file_name("val", PLAIN, 16) == "evaluation_val_os16.json"


def test_everything_that_decides_the_score_is_in_the_name():
    names = {
        file_name("val", PLAIN, 16),
        file_name("test", PLAIN, 16),
        file_name("val", PLAIN, 8),
        file_name("val", replace(PLAIN, scales=(0.5, 1.0)), 16),
        file_name("val", replace(PLAIN, flip=True), 16),
        file_name("val", replace(PLAIN, precision="bfloat16"), 16),
        file_name("val", PLAIN, 16, weights="best"),
        file_name("val", PLAIN, 16, data="scenes"),
        file_name("val", PLAIN, 16, data="folder:a/photos"),
        file_name("val", PLAIN, 16, data="folder:b/photos"),
        file_name("val", PLAIN, 16, changes={"ignore": (11,)}),
        file_name("val", PLAIN, 16, changes={"ignore": (12,)}),
        file_name("val", PLAIN, 16, changes={"val_images": "x" * 300}),
        file_name("val", PLAIN, 16, changes={"val_images": "x" * 301}),
        file_name("val", PLAIN, 16, changes={"val_masks": "x" * 300}),
    }
    assert len(names) == 15
    assert all(len(name) < 100 and "/" not in name and " " not in name for name in names)


def test_batch_size_does_not_decide_the_score():
    assert file_name("val", replace(PLAIN, batch_size=4), 16) == file_name("val", PLAIN, 16)


def test_csv_has_a_line_for_each_class(tmp_path: Path, found: Evaluation):
    path = tmp_path / "a.json"
    assert write_scores(path, {"split": "val"}, found, csv=True, confusion=False) == [
        path,
        tmp_path / "a.csv",
    ]
    assert json.loads(path.read_text())["split"] == "val"
    assert list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text()))) == [
        ["class", "iou", "precision", "recall", "labelled pixels", "predicted pixels"],
        ["ground", "0.500000", "0.500000", "1.000000", "1", "2"],
        ["a, b", "0.500000", "1.000000", "0.500000", "2", "1"],
        ["c", "", "", "", "0", "0"],
    ]


def test_own_files_are_replaced_and_others_are_not(tmp_path: Path, found: Evaluation):
    write_scores(tmp_path / "a.json", {"split": "val"}, found, csv=True, confusion=False)
    (tmp_path / "a.png").write_bytes(draw_confusion(found))
    for suffix in ("json", "csv", "png", "new"):
        require_replaceable(tmp_path / f"a.{suffix}")
    for name, content in {
        "model.safetensors": b"\x08\0\0\0\0\0\0\0{}",
        "config.json": b'{"dataset": "scenes"}',
        "list.json": b"[1]",
        "table.csv": b"name,score\n",
        "photo.png": b"\x89PNG and so on",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=rf"{name}: is there and is not an evaluation's file; give another"
        ):
            require_replaceable(tmp_path / name)
    with pytest.raises(ValueError, match="is not an evaluation's file"):
        require_replaceable(tmp_path)


def test_place_that_cannot_be_written_to_is_an_error_before_the_work(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="x.json: cannot be written: File exists; give another --out"):
        require_replaceable(tmp_path / "file" / "x.json")
