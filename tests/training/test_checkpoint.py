"""Checkpoints: whole or not at all, and nothing in them is run."""

import errno
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from dlv3 import files
from dlv3.training import checkpoint
from dlv3.training.checkpoint import CheckpointError

STATE = {"iteration": 7, "model": {"weight": torch.arange(1000.0)}, "losses": [0.5]}


class Malicious:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.marker}",)


def saved(folder: Path) -> Path:
    path = folder / "checkpoint.pt"
    checkpoint.save(STATE, path)
    return path


def test_what_was_saved_is_loaded(tmp_path: Path):
    state = checkpoint.load(saved(tmp_path))
    assert state["iteration"] == 7
    assert state["losses"] == [0.5]
    assert torch.equal(state["model"]["weight"], STATE["model"]["weight"])


def test_nothing_is_left_beside_it(tmp_path: Path):
    saved(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_checkpoint_is_refused(tmp_path: Path, share: float):
    path = saved(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: is truncated"):
        checkpoint.load(path)


def test_a_single_flipped_bit_among_the_weights_is_found(tmp_path: Path):
    path = saved(tmp_path)
    content = bytearray(path.read_bytes())
    place = content.find(STATE["model"]["weight"].numpy().tobytes())
    assert place > 0
    content[place + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is damaged \(wrong checksum"):
        checkpoint.load(path)


def test_malicious_pickle_is_refused_and_not_run(tmp_path: Path):
    path, marker = tmp_path / "checkpoint.pt", tmp_path / "owned"
    torch.save({"format": checkpoint.FORMAT, "model": Malicious(marker)}, path)
    with zipfile.ZipFile(path) as archive:  # the code is in there, in the place that is read
        assert any(b"touch" in archive.read(name) for name in archive.namelist())
    with pytest.raises(CheckpointError, match="refused, because it holds more than tensors"):
        checkpoint.load(path)
    assert not marker.exists()


def test_malicious_bare_pickle_is_refused_and_not_run(tmp_path: Path):
    path, marker = tmp_path / "checkpoint.pt", tmp_path / "owned"
    path.write_bytes(pickle.dumps(Malicious(marker)))
    with pytest.raises(CheckpointError, match="not a checkpoint of a training"):
        checkpoint.load(path)
    assert not marker.exists()


def test_checkpoint_of_another_kind_is_refused(tmp_path: Path):
    path = tmp_path / "checkpoint.pt"
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match="not a checkpoint of a training of this version"):
        checkpoint.load(path)


def test_missing_checkpoint_is_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: no such file"):
        checkpoint.load(tmp_path / "checkpoint.pt")


def test_full_disk_leaves_the_old_one_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = saved(tmp_path)
    genuine = files._write

    def write(file: object, content: memoryview) -> None:
        genuine(file, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_write", write)
    with pytest.raises(CheckpointError, match=r"No space left on device; the checkpoint before it is intact"):
        checkpoint.save({**STATE, "iteration": 8}, path)
    assert checkpoint.load(path)["iteration"] == 7
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_really_full_device_is_an_error_of_the_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(files, "_open_aside", lambda aside: Path("/dev/full").open("wb", buffering=0))  # noqa: SIM115
    with pytest.raises(CheckpointError, match="No space left on device"):
        checkpoint.save(STATE, tmp_path / "checkpoint.pt")
    assert not (tmp_path / "checkpoint.pt").exists()


def test_content_is_on_the_disk_before_it_is_moved_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    order = []
    fsync, move = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: (order.append("push"), fsync(descriptor))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("move"), move(a, b))[1])
    saved(tmp_path)
    assert order == ["push", "move", "push"]  # the file, its name, the folder


@pytest.mark.parametrize(("place", "byte"), [(6, 1), (8, 99), (26, 0x23)])
def test_a_header_that_asks_for_anything_else_is_named(tmp_path: Path, place: int, byte: int):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save({"iteration": 1, "more": torch.zeros(99)}, path)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    # Encrypted, or of an unknown compression, also in the list at the end; or a longer name, whose rest is not text.
    content[place] = byte
    if place < 26:
        content[directory + place + 2] = byte
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: is truncated, or is not a checkpoint"):
        checkpoint.load(path)
