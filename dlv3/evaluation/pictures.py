"""Find the pictures that files, folders and patterns stand for, and give each a name that no other one has."""

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
    """The name of its results: relative, without suffix, sub-folders included."""


def find_pictures(inputs: Sequence[str], out: Path) -> tuple[list[Picture], list[str]]:
    """Find the pictures that files, folders and patterns stand for, each once, in the order given.

    A folder stands for the pictures in it and below, a pattern such as "photos/**/*.png" for the pictures it
    matches. Hidden files are left out, and so is `out` where it is a folder inside the folder that is searched: it
    holds the results of an earlier call. A file given by name is taken with any suffix.

    Each picture keeps its name without the suffix, and sub-folders are mirrored. If two then have the same name, all
    are named by their path below the folder that they have in common; if that does not tell them apart either
    (photo.jpg beside photo.png), the suffix stays in the name.

    Args:
        inputs: files, folders and patterns.
        out: where results will be written.

    Returns:
        The pictures, and a line for each input that has none.
    """
    # By absolute path: the path as typed, and its name with suffix.
    found: dict[Path, tuple[Path, Path]] = {}
    problems: list[str] = []
    for text in inputs:
        for path, name in _entries(text, Path(os.path.abspath(out)), problems):
            found.setdefault(Path(os.path.abspath(path)), (path, name))
    return _named(found), problems


def _entries(text: str, out: Path, problems: list[str]) -> Iterator[tuple[Path, Path]]:
    """Yield the paths of one input, each with the part that is its name."""
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
    """Yield all files in a folder and its sub-folders, sorted; hidden folders are left out."""

    def cannot_be_read(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder cannot be read: {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=cannot_be_read):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(files))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _is_result(path: Path, base: Path, out: Path) -> bool:
    """Tell whether the file lies in `out`, and `out` below the folder that is searched."""
    searched = Path(os.path.abspath(base))
    return (
        out != searched and out.is_relative_to(searched) and Path(os.path.abspath(path)).is_relative_to(out)
    )


def _fixed_part(pattern: str) -> Path:
    """Return the folder that a pattern starts from: "photos" of "photos/**/*.png"."""
    parts = Path(pattern).parts[:-1]
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:wild])


def _named(found: dict[Path, tuple[Path, Path]]) -> list[Picture]:
    """Name the pictures by the first rule that gives different names, on file systems that ignore case too."""
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
