"""The files of a prediction: what is in them, and what happens where they cannot be written."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import torch
from PIL import Image

from dlv3 import files
from dlv3.data.errors import DataError
from dlv3.data.palette import voc_palette
from dlv3.evaluation.pictures import Picture
from dlv3.evaluation.prediction_files import require_folder, require_separate, write_prediction

PALETTE = voc_palette(4)
IMAGE = torch.randint(256, (3, 12, 20), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
LABELS = torch.randint(4, (12, 20), generator=torch.Generator().manual_seed(1)).to(torch.uint8)


def write(stem: str) -> None:
    write_prediction(IMAGE, LABELS, PALETTE, 0.6, Path(stem))


def test_writes_indices_mask_and_overlay(here):
    write("out/day/a")
    assert sorted(os.listdir("out/day")) == ["a_index.png", "a_mask.png", "a_overlay.png"]
    index, mask = Image.open("out/day/a_index.png"), Image.open("out/day/a_mask.png")
    assert (index.mode, mask.mode) == ("L", "P")
    assert np.array_equal(np.array(index), LABELS)
    assert np.array_equal(np.array(mask), LABELS)
    assert np.array_equal(np.array(mask.convert("RGB")), PALETTE[LABELS])
    overlay = np.array(Image.open("out/day/a_overlay.png")).astype(float)
    expected = 0.4 * IMAGE.permute(1, 2, 0).numpy() + 0.6 * PALETTE[LABELS]
    assert np.abs(overlay - expected).max() <= 1


def test_name_with_a_dot_keeps_it(here):
    write("photo.v2")
    assert sorted(os.listdir()) == ["photo.v2_index.png", "photo.v2_mask.png", "photo.v2_overlay.png"]


def test_folder_that_cannot_be_made_is_one_line(here):
    Path("taken").touch()
    for out in ("taken", "taken/below"):
        with pytest.raises(OSError, match=rf"^--out {out}: cannot be made: [^\n]*give another folder$"):
            require_folder(Path(out))


def test_folder_without_permission_is_one_line(open_folder, unprivileged):
    Path("locked").mkdir()
    Path("locked").chmod(0o555)
    message = "^--out locked/out: cannot be made: Permission denied; give"
    with unprivileged(), pytest.raises(OSError, match=message):
        require_folder(Path("locked/out"))
    message = "^--out locked: cannot be written to: Permission denied; give"
    with unprivileged(), pytest.raises(OSError, match=message):
        require_folder(Path("locked"))
    message = r"^locked/a_mask\.png: cannot be written: Permission denied; give"
    with unprivileged(), pytest.raises(OSError, match=message):
        write("locked/a")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("kind", ["mask", "overlay", "index"])
def test_full_disk_is_one_line(here, kind, monkeypatch):
    Path("out").mkdir()
    genuine = files._open_aside

    def full(aside: Path) -> BinaryIO:
        return open("/dev/full", "wb") if kind in aside.name else genuine(aside)

    monkeypatch.setattr(files, "_open_aside", full)
    with pytest.raises(OSError, match=rf"^out/a_{kind}\.png: cannot be written: No space left on device"):
        write("out/a")
    assert not Path(f"out/a_{kind}.png").exists()


@pytest.mark.parametrize("kind", ["mask", "overlay", "index"])
def test_a_link_at_a_results_place_is_replaced_and_its_target_stays(here, kind):
    Path("out").mkdir()
    Path("mine.png").write_bytes(b"a photo of the user's own")
    Path(f"out/a_{kind}.png").symlink_to("../mine.png")
    write("out/a")
    assert Path("mine.png").read_bytes() == b"a photo of the user's own"
    assert not Path(f"out/a_{kind}.png").is_symlink()
    assert Image.open(f"out/a_{kind}.png").size == (20, 12)


@pytest.mark.parametrize("kind", ["mask", "overlay", "index"])
def test_a_write_that_is_stopped_leaves_no_file_under_the_final_name(here, kind, monkeypatch):
    genuine = files._write

    def stopped(file: BinaryIO, content: memoryview) -> None:
        genuine(file, content[: len(content) // 2])
        if kind in file.name:
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        write("out/a")
    assert not Path(f"out/a_{kind}.png").exists()
    assert not list(Path("out").glob(".*"))


@pytest.mark.parametrize("link", ["symbolic", "of a folder", "hard"])
def test_result_in_a_pictures_place_is_refused_through_links(here, link):
    Path("photos").mkdir()
    Path("photos/a_mask.png").touch()
    Path("out").mkdir()
    out = Path("out")
    if link == "symbolic":
        Path("out/a_mask.png").symlink_to("../photos/a_mask.png")
    elif link == "hard":
        Path("out/a_mask.png").hardlink_to("photos/a_mask.png")
    else:
        out = Path("alias")
        out.symlink_to("photos")
    pictures = [Picture(Path("photos/a.png"), Path("a")), Picture(Path("photos/a_mask.png"), Path("a_mask"))]
    with pytest.raises(
        DataError, match=rf"^--out {out}: a result would overwrite the picture {out}/a_mask.png"
    ):
        require_separate(pictures, out)


@pytest.mark.parametrize("kind", ["mask", "overlay", "index"])
def test_result_in_a_pictures_place_is_refused(here, kind):
    Path(f"a_{kind}.png").touch()
    pictures = [Picture(Path("a.png"), Path("a")), Picture(Path(f"./a_{kind}.png"), Path("b"))]
    with pytest.raises(
        DataError, match=f"--out .: a result would overwrite the picture a_{kind}.png; give another"
    ):
        require_separate(pictures, Path())
    require_separate(pictures, Path("out"))
