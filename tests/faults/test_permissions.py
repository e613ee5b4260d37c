"""Files that may not be read or written, and folders where files should be: one line, and nothing is changed.

Where the tests are run by the superuser, whom no permission binds, the commands give up that right.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import one_error_line
from fault_harness import Fault, WarmProcess
from scenarios import TRAIN, make_data

MORE = [*TRAIN, "--resume", "--training.iterations", "7"]
EVALUATE = ["evaluate", "run", "--workers", "0", "--pictures", "1"]
PREDICT = ["predict", "run", "photos/images", "--out", "predictions"]
EXPORT = ["export", "run", "--format", "torch", "--out"]
# What is closed, with its mode, the command, its exit status and the name that it has to print.
CLOSED = {
    "a run's folder": ("run", 0o555, MORE, 2, "run: cannot be written to: Permission denied"),
    "a run's folder for scores": ("run", 0o555, EVALUATE, 2, "evaluation_val_pictures-1_os16.json"),
    "a folder for predictions": ("predictions", 0o555, PREDICT, 2, "predictions"),
    "a folder for a run": (".", 0o555, [*TRAIN[:-1], "new"], 2, "new: cannot be written to"),
    "a folder for an export": ("run", 0o555, [*EXPORT, "run/model.pt2"], 2, "run"),
    "a checkpoint": ("run/checkpoint.pt", 0o000, MORE, 2, "checkpoint.pt"),
    "a configuration": ("run/config.json", 0o000, EVALUATE, 2, "config.json"),
    "weights": ("run/model.safetensors", 0o000, PREDICT, 2, "model.safetensors"),
    "a photo": ("photos/images/0.png", 0o000, PREDICT, 1, "0.png"),
    "a folder of photos": ("photos/images", 0o000, PREDICT, 2, "photos/images"),
    "a mask": ("photos/masks/1.png", 0o000, ["data", "check", "photos"], 1, "1.png"),
}
# A folder in a file's place.
FOLDERS = {
    "run/checkpoint.pt": (MORE, "checkpoint.pt"),
    "run/config.json": (EVALUATE, "config.json"),
    "run/model.safetensors": (PREDICT, "model.safetensors"),
    "predictions/0_mask.png": (PREDICT, "0_mask.png"),
    "model.pt2": ([*EXPORT, "model.pt2"], "model.pt2"),
    "scores.json": ([*EVALUATE, "--out", "scores.json"], "scores.json"),
}


@pytest.fixture(scope="module")
def open_to_all(warm: WarmProcess) -> Iterator[Path]:
    """A folder with a run, photos, and a place for predictions; anybody may read all of it, and write to it."""
    # pytest's own temporary folders are closed to others.
    folder = Path(tempfile.mkdtemp())
    make_data(folder / "photos")
    (folder / "predictions").mkdir()
    assert warm.run(TRAIN, folder).status == 0
    open_all(folder)
    yield folder
    shutil.rmtree(folder)


def open_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)


@pytest.fixture
def folder(open_to_all: Path) -> Iterator[Path]:
    place = open_to_all.with_name(open_to_all.name + "-copy")
    shutil.copytree(open_to_all, place)
    yield place
    open_all(place)
    shutil.rmtree(place)


def contents(folder: Path) -> dict[Path, bytes]:
    return {
        file: file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
@pytest.mark.parametrize("name", CLOSED)
def test_what_may_not_be_read_or_written_is_named(name: str, folder: Path, warm: WarmProcess):
    closed, mode, command, status, message = CLOSED[name]
    before = contents(folder)
    (folder / closed).chmod(mode)
    ended = warm.run(command, folder, Fault("no root"))
    (folder / closed).chmod(0o777)
    assert ended.status == status, ended.err
    if status == 2:
        assert message in one_error_line(ended.err)
    assert message in ended.out + ended.err
    assert "Traceback" not in ended.err
    assert before.items() <= contents(folder).items()


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_folder_in_a_files_place_is_named(name: str, folder: Path, warm: WarmProcess):
    command, message = FOLDERS[name]
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    before = contents(folder)
    ended = warm.run(command, folder)
    assert ended.status == 2, ended.err
    assert message in one_error_line(ended.err)
    assert (folder / name).is_dir()
    assert before.items() <= contents(folder).items()
