"""A folder is checked as a whole: each thing that does not fit is found, and a sound folder has no problem."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.data import DataConfig, DataError
from dlv3.data.photos.check import check_folder


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(6):
        picture = np.random.default_rng(i).integers(0, 256, (34, 40, 3), np.uint8)
        Image.fromarray(picture).save(tmp_path / f"images/{i}.png")
        mask = np.full((34, 40), 255, np.uint8)
        mask[:17], mask[17:20] = 0, 1 + i % 2
        Image.fromarray(mask).save(tmp_path / f"masks/{i}.png")
    (tmp_path / "train.txt").write_text("0\n1\n2\n3")
    (tmp_path / "val.txt").write_text("4\n5")
    return tmp_path


def test_a_sound_folder_has_sizes_and_shares_and_no_problem(sound: Path):
    found = check_folder(sound, progress=False)
    assert (found.problems, found.notes) == ((), ())
    assert [(s.name, s.pictures, s.sizes) for s in found.splits] == [
        ("train", 4, (((34, 40), 4),)),
        ("val", 2, (((34, 40), 2),)),
    ]
    assert found.splits[0].shares.pixels == (4 * 17 * 40, 2 * 3 * 40, 2 * 3 * 40)
    assert found.splits[0].shares.unlabelled == 4 * 14 * 40


def copy(old: str, new: str) -> Callable[[Path], object]:
    return lambda root: shutil.copy(root / old, root / new)


def brighten(root: Path) -> None:
    pixels = np.array(Image.open(root / "images/0.png")).astype(int)
    Image.fromarray(np.clip(pixels + 5, 0, 255).astype(np.uint8)).save(root / "images/4.png")


def resize(root: Path) -> None:
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(root / "images/4.png")


def relabel(root: Path) -> None:
    mask = np.array(Image.open(root / "masks/4.png"))
    mask[0] = 7
    Image.fromarray(mask).save(root / "masks/4.png")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda root: (root / "images/4.png").write_bytes(b"x"), r"images/4\.png: not a picture"),
        (lambda root: (root / "masks/4.png").write_bytes(b"x"), r"masks/4\.png: not a picture"),
        (resize, r"masks/4\.png: the mask is 40×34 pixels and its picture .* 9×9"),
        (relabel, r"masks/4\.png: label 7 in 40 pixels; the 3 classes"),
        (
            copy("images/0.png", "images/4.png"),
            r"images/4\.png, in val: the same picture as .*0\.png, in train",
        ),
        (brighten, r"images/4\.png, in val: nearly the same picture as .*images/0\.png, in train"),
    ],
)
def test_each_thing_that_does_not_fit_is_one_problem(
    sound: Path, damage: Callable[[Path], object], problem: str
):
    damage(sound)
    (line,) = check_folder(sound, DataConfig(num_classes=3), progress=False).problems
    assert re.search(problem, line)


def test_copies_inside_a_split_and_missing_classes_are_notes(sound: Path):
    copy("images/0.png", "images/1.png")(sound)
    found = check_folder(sound, DataConfig(num_classes=4), progress=False)
    assert found.problems == ()
    missing, copied = found.notes
    assert "1 of 4 classes occur in no training picture: class 3" in missing
    assert copied.endswith("both in train")


def test_masks_of_0_and_255_are_a_problem(sound: Path):
    for i in range(6):
        Image.fromarray(np.resize(np.array([0, 255], np.uint8), (34, 40))).save(sound / f"masks/{i}.png")
    found = check_folder(sound, DataConfig(num_classes=2), progress=False)
    assert "if 255 is a class" in found.problems[0]


def test_a_folder_without_any_mask_that_can_be_read_is_refused(sound: Path):
    for i in range(6):
        (sound / f"masks/{i}.png").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no picture can be read with its mask; the first: .*masks/0\.png"):
        check_folder(sound, progress=False)


def test_pictures_are_read_with_the_models_channels(sound: Path):
    for path in (sound / "images").iterdir():
        Image.open(path).convert("CMYK").save(path.with_suffix(".tif"))
        path.unlink()
    assert check_folder(sound, channels=4, progress=False).problems == ()
    found = check_folder(sound, DataConfig(num_classes=3), 5, progress=False).problems
    assert len(found) == 6
    assert all("has 4 channels (CMYK); expected 5, the model's in_channels" in line for line in found)
