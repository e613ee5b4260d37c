"""Files that are whole at any moment: written aside, pushed to the disk, then moved into place."""

import os
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Replace a file by `content`: after this, or after a crash in it, the file is whole, old or new.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        with aside.open("wb") as file:
            _write(file, memoryview(content))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    _push_folder(path.parent)


def _write(file: BinaryIO, content: memoryview) -> None:
    for start in range(0, len(content), _CHUNK):
        file.write(content[start : start + _CHUNK])


def _push_folder(folder: Path) -> None:
    """Push the new name itself to the disk, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
