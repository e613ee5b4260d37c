"""A file is whole at any moment: the old one or the new one."""

import os
from pathlib import Path

import pytest

from dlv3.files import write_atomically


def test_content_is_written_and_replaced(tmp_path: Path):
    path = tmp_path / "a.bin"
    # More than one piece of what is written at a time.
    large = os.urandom((1 << 20) + 5)
    for content in (b"first", large, b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
    write_atomically(path, memoryview(b"view"))
    assert path.read_bytes() == b"view"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.bin"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_does_not_exist_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "a.bin", b"")
