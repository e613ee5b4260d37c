"""Which pictures a person means by files, folders and patterns, and a name for each that no other one has."""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlv3.data.photos.images import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Picture:
    """A picture to predict."""

    path: Path
    name: Path
    """Relative and without suffix: what its results are called, sub-folders included."""


def find_pictures(inputs: Sequence[str], out: Path) -> tuple[list[Picture], list[str]]:
    """The pictures that files, folders and patterns stand for, each once, in the order given.

    A folder stands for the pictures in it and below, a pattern such as "photos/**/*.png" for the pictures it
    matches. Hidden files are left out, and so is what lies in `out`, where that is a folder inside of what is
    searched: the results of the last time. A file given by name is taken whatever it is called.

    Each picture is called what it is called in its folder, and sub-folders are mirrored. Should two then have the
    same name, all are called by their path below the folder that they have in common; should that not do either
    (photo.jpg beside photo.png), the suffix stays in the name.

    Args:
        inputs: files, folders and patterns.
        out: where results will be written.

    Returns:
        The pictures, and a line for each input that has none.
    """
    found: dict[Path, tuple[Path, Path]] = {}  # by absolute path: as typed, and its name with suffix
    problems: list[str] = []
    for text in inputs:
        entries = list(_entries(text, Path(os.path.abspath(out)), problems))
        for path, name in entries:
            found.setdefault(Path(os.path.abspath(path)), (path, name))
    return _named(found), problems


def _entries(text: str, out: Path, problems: list[str]) -> Iterator[tuple[Path, Path]]:
    """Paths of one input, with the part that is their name."""
    path = Path(text)
    if path.is_file():
        yield path, Path(path.name)
        return
    known = len(problems)
    if path.is_dir():
        candidates, base = _below(path, problems), path
        nothing = f"{text}: no pictures in this folder ({', '.join(IMAGE_SUFFIXES)})"
    else:
        matches = sorted(Path(match) for match in glob.glob(text, recursive=True))
        candidates = (
            file for match in matches for file in ([match] if match.is_file() else _below(match, problems))
        )
        base = _fixed_part(text)
        nothing = f"{text}: no such file or folder" if not matches else f"{text}: matches no pictures"
    pictures = [file for file in candidates if _is_picture(file) and not _is_result(file, base, out)]
    if not pictures and len(problems) == known:
        problems.append(nothing)
    for file in pictures:
        yield file, Path(os.path.relpath(file, base))


def _below(folder: Path, problems: list[str]) -> Iterator[Path]:
    """All files in a folder and its sub-folders, sorted; hidden folders are left out."""

    def cannot_be_read(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder cannot be read: {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=cannot_be_read):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _is_result(path: Path, base: Path, out: Path) -> bool:
    """Whether the file lies in `out`, and `out` below the folder that is searched."""
    searched = Path(os.path.abspath(base))
    return (
        out != searched and out.is_relative_to(searched) and Path(os.path.abspath(path)).is_relative_to(out)
    )


def _fixed_part(pattern: str) -> Path:
    """The folder that a pattern starts from: "photos" of "photos/**/*.png"."""
    parts = Path(pattern).parts[:-1]
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:wild])


def _named(found: dict[Path, tuple[Path, Path]]) -> list[Picture]:
    """Names by the first rule that keeps all of them apart, on file systems that ignore case too."""
    if not found:
        return []
    common = os.path.commonpath([path.parent for path in found])
    rules: list[Callable[[Path, Path], Path]] = [
        lambda path, name: name.with_name(name.stem),
        lambda path, name: Path(os.path.relpath(path.with_name(path.stem), common)),
        lambda path, name: Path(os.path.relpath(path, common)),
    ]
    for rule in rules:
        names = [rule(path, name) for path, (_, name) in found.items()]
        if len({str(name).casefold() for name in names}) == len(names):
            break
    return [Picture(typed, name) for (typed, _), name in zip(found.values(), names, strict=True)]
