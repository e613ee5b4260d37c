"""Files that are whole at any moment: written aside, pushed to the disk, then moved into place.

Every file that the project writes goes through here; a test finds those that do not. A file that is cut short, by a
full disk or a killed process, so never lies under its final name, and a symbolic link at that name is replaced: what
it points to is not written to.
"""

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

_CHUNK = 1 << 20

Identity = tuple[int, int]
"""A file as the system knows it, by whatever name: its device and its number there."""


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Replace a file by `content`: after this, or after a crash in it, the file is whole, old or new.

    Threads and processes that write one file at the same time wait for each other.

    Raises:
        OSError: it cannot be written, and is named as `filename`; what was there before still is.
    """
    try:
        _replace(path, memoryview(content))
    except OSError as error:
        # A failed write names no file, and a failed move the one aside.
        raise OSError(error.errno, error.strerror or str(error), os.fspath(path)) from error


def _replace(path: Path, content: memoryview) -> None:
    aside = path.with_name(_name_aside(path.name))
    with _open_aside(aside) as file:
        try:
            _write(file, content)
            file.flush()
            os.fsync(file.fileno())
            if sys.platform == "win32":  # which moves no file that is open
                file.close()
            os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
    _push_folder(path.parent)


def write_with(path: Path, save: Callable[[BinaryIO], object]) -> None:
    """Replace a file, as `write_atomically`, by what a library's function writes.

        write_with(path, lambda file: picture.save(file, "PNG"))

    Args:
        path: the file.
        save: writes the content into the open file it is given, which is in memory.

    Raises:
        OSError: it cannot be written; what was there before still is.
    """
    buffer = BytesIO()
    save(buffer)
    write_atomically(path, buffer.getbuffer())


def remove_half(path: Path) -> None:
    """Remove what a killed process has left of a file that it wrote aside. Nobody may be writing it now."""
    path.with_name(_name_aside(path.name)).unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Make a folder and write a file in it, so that an error is raised now rather than after long work.

    Nothing is left: the file has no name, or only for a moment, and a folder that was not there is removed again. It is
    made when there is something to write, so that work which fails leaves no empty folder.

    Raises:
        OSError: the folder cannot be made, or nothing can be written into it.
    """
    missing = missing_folders(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder, buffering=0) as trial:
            trial.write(b"1")
    finally:
        remove_empty(missing)


def missing_folders(folder: Path) -> list[Path]:
    """Return a folder and those above it as far as they are not there, the innermost first; see `remove_empty`."""
    return list(takewhile(lambda each: not os.path.lexists(each), (folder, *folder.parents)))


def remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, as far as they are empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def is_there(path: Path) -> bool:
    """Tell whether a file that may be missing is there to be read.

    Raises:
        OSError: something else has its name: a folder, a pipe, or a link to a file that is gone. To pass over it would
            be to work without what its owner put there.
    """
    if path.is_file():
        return True
    if os.path.lexists(path):
        raise OSError(
            f"{path}: not a file that can be read, but a folder, a pipe or a broken link; mend or remove it"
        )
    return False


def identity(path: Path) -> Identity | None:
    """Return the file that a path leads to, through all symbolic links; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def require_not_read(path: Path, inputs: Iterable[Path], option: str) -> None:
    """Check that a file to write is not one of those that are read, under any name or link.

    Args:
        path: the file to write.
        inputs: the files that are read.
        option: the option that gave the path, such as "--out", for the message.

    Raises:
        ValueError: it is one of them.
    """
    written = identity(path)
    for file in inputs:
        if written is not None and written == identity(file):
            raise ValueError(f"{option} {path}: would overwrite {file}, which is read; give another file")


def _name_aside(name: str) -> str:
    # Names have 255 bytes at most, and a character at most 4.
    return f".{name if len(name.encode(errors='surrogateescape')) < 245 else name[:55]}.part"


def _open_aside(aside: Path) -> BinaryIO:
    """Open the file to write aside, when nobody else writes it; one that a killed process has left is taken over."""
    while True:
        if aside.is_symlink():
            aside.unlink()
        file = open(aside, "r+b", opener=_create)  # noqa: SIM115  closed by the caller, which holds the lock so long
        try:
            _lock(file)
            status = os.fstat(file.fileno())
            # The one who had the lock before may have moved the file into place.
            if identity(aside) == (status.st_dev, status.st_ino):
                file.truncate(0)
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _create(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _lock(file: BinaryIO) -> None:
    """Wait until no other process or thread holds the file; the lock ends when the file is closed."""
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            return


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
