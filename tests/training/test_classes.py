"""What a training says of its classes before it starts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.training.bootstrap import Bootstrapped
from dlv3.training.checkpoint import CheckpointError, TrainingState
from dlv3.training.classes import keep_classes, report_classes


def folder(root: Path, values: tuple[int, ...], **options: object):
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        (root / part).mkdir()
    for i in range(4):
        Image.fromarray(generator.integers(0, 255, (6, 6, 3), np.uint8)).save(root / f"images/{i}.png")
        mask = np.resize(np.array(values, np.uint8), (6, 6))
        Image.fromarray(mask).save(root / f"masks/{i}.png")
    return open_dataset(f"folder:{root}", "train", DataConfig(**options))


def test_shares_are_printed_once_and_missing_classes_are_warned_of(tmp_path: Path, capsys):
    dataset = folder(tmp_path, (0, 1, 255), num_classes=3)
    with pytest.warns(UserWarning, match="photos: 1 of 3 classes occur in no training picture: class 2"):
        report_classes(dataset, "photos")
    assert capsys.readouterr().err == (
        "pixels of 3 training pictures: class 0 33.3%, class 1 33.3%, class 2 0.0%, no label 33.3%\n"
    )


def test_masks_of_0_and_255_are_refused_whatever_the_number_of_classes_comes_from(tmp_path: Path):
    dataset = folder(tmp_path, (0, 255), num_classes=2)
    with pytest.raises(DataError, match="if 255 is a class"):
        report_classes(dataset, "photos", show=False)
    with pytest.raises(DataError, match="if 255 is a class"):
        report_classes(Bootstrapped(dataset, [0]), "photos")


def test_label_out_of_range_is_named_before_the_training(tmp_path: Path):
    with pytest.raises(DataError, match=r"\.png: label 128 in .* Save grey levels as 0, 1, 2"):
        report_classes(folder(tmp_path, (0, 128), num_classes=2), "photos")


def test_copies_of_hard_pictures_count(tmp_path: Path, capsys):
    report_classes(Bootstrapped(folder(tmp_path, (0, 1)), [0], copies=2), "photos")
    assert capsys.readouterr().err.startswith("pixels of 5 training pictures")


def test_pictures_made_in_code_are_not_counted(capsys):
    for dataset in (open_dataset("scenes", "train"), Bootstrapped(open_dataset("scenes", "train"), [0])):
        report_classes(dataset, "scenes")
    assert capsys.readouterr().err == ""


def test_resumed_training_has_the_classes_it_began_with(tmp_path: Path):
    listed, state, checkpoint = tmp_path / "classes.txt", TrainingState.at_start(), tmp_path / "checkpoint.pt"
    listed.write_text("sky\nroad\n")
    keep_classes(folder(tmp_path, (0, 1)), state, "photos", checkpoint)
    assert (state.classes, len(state.colours)) == (["sky", "road"], 2)
    listed.write_text("road\nsky\n")
    changed = open_dataset(f"folder:{tmp_path}", "train", DataConfig())
    with pytest.raises(ValueError, match=r"^photos: class 0 was 'sky' when the run began, and is 'road' now"):
        keep_classes(changed, state, "photos", checkpoint)
    state.colours.pop()
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: classes: 2 names and 1 colours"):
        keep_classes(changed, state, "photos", checkpoint)
