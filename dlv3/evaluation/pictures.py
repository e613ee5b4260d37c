"""Find the pictures that files, folders and patterns stand for, and give each a name that no other one has."""

import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlv3.data.errors import DataError
from dlv3.data.photos.images import IMAGE_SUFFIXES, OTHER_SUFFIXES


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
    holds the results of an earlier call. Links to folders are followed only where they are given by name: two of them
    can form a circle. A file given by name is taken with any suffix.

    Each picture keeps its name without the suffix, and sub-folders are mirrored. If two of different folders then have
    the same name, all are named by their path below the folder that they have in common. Where two of one folder differ
    in their suffix alone (photo.jpg beside photo.png), these two keep it in their names.

    Args:
        inputs: files, folders and patterns.
        out: where results will be written.

    Returns:
        The pictures, and a line for each input that has none, or that has files which cannot be read as pictures: other
        kinds such as .heic or .mp4, pipes, links to folders.

    Raises:
        DataError: an input is empty.
    """
    if "" in inputs:
        raise DataError(
            "pictures: an empty name (''); give files, folders or patterns, and . for this folder"
        )
    # By absolute path: the path as typed, and its name with suffix.
    found: dict[Path, tuple[Path, Path]] = {}
    problems: list[str] = []
    for text in inputs:
        for path, name in _entries(text, Path(os.path.realpath(out)), problems):
            found.setdefault(Path(os.path.abspath(path)), (path, name))
    return _named(found), list(dict.fromkeys(problems))


_NOT_REGULAR = "not a file that can be read, but a pipe, a device or a broken link"


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
    elif os.path.lexists(path):
        candidates, base, nothing = iter([path]), path.parent, f"{text}: {_NOT_REGULAR}"
    else:
        base, matches = _matches(text)
        candidates = (
            file for match in matches for file in (_below(match, problems) if match.is_dir() else [match])
        )
        nothing = f"{text}: no such file or folder" if not matches else f"{text}: matches no pictures"
    is_result = _results_of(base, out)
    files = [
        file for file in dict.fromkeys(candidates) if not file.name.startswith(".") and not is_result(file)
    ]
    pictures = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    problems += [f"{file}: {_NOT_REGULAR}" for file in pictures if not file.is_file()]
    problems += _other_kinds(text, files)
    pictures = [file for file in pictures if file.is_file()]
    if not pictures and len(problems) == known:
        problems.append(nothing)
    for file in pictures:
        yield file, Path(os.path.relpath(file, base))


def _other_kinds(text: str, files: Sequence[Path]) -> list[str]:
    """Count in one line the pictures and films of kinds that are not read; no line if there are none."""
    counts = Counter(file.suffix.lower() for file in files)
    others = [f"{counts[suffix]} {suffix}" for suffix in sorted(counts) if suffix in OTHER_SUFFIXES]
    if not others:
        return []
    return [f"{text}: {', '.join(others)}: kinds that are not read; save them as {', '.join(IMAGE_SUFFIXES)}"]


def _below(folder: Path, problems: list[str]) -> Iterator[Path]:
    """Yield all files in a folder and its sub-folders, sorted; hidden folders are left out."""

    def cannot_be_read(error: OSError) -> None:
        problems.append(f"{error.filename}: this folder cannot be read: {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=cannot_be_read):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(parent, name) for name in folders):
            if path.is_symlink():
                problems.append(f"{path}: a link to a folder, which is not followed; give it by name")
        yield from (Path(parent, name) for name in sorted(files))


def _results_of(base: Path, out: Path) -> Callable[[Path], bool]:
    """Return what tells whether a file lies in `out`, where that is a folder below the one that is searched."""
    searched = Path(os.path.realpath(base))
    if out == searched or not out.is_relative_to(searched):
        return lambda file: False
    return lambda file: Path(os.path.realpath(file.parent)).is_relative_to(out)


def _matches(pattern: str) -> tuple[Path, list[Path]]:
    """Return the folder that a pattern starts from, "photos" of "photos/**/*.png", and the sorted paths it matches.

    Unlike those of `glob.glob`, the two stars follow no links to folders.
    """
    parts = Path(pattern).parts
    wild = next((i for i, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    base, rest = Path(*parts[:wild]), parts[wild:]
    if not rest:
        return base.parent, []
    # Two stars beside other characters are one star.
    rest = tuple(part if part == "**" else re.sub(r"\*\*+", "*", part) for part in rest)
    hidden = any(part.startswith(".") and part != ".." for part in rest)
    found = set(base.glob("/".join(rest)))
    return base, sorted(path for path in found if hidden or not _is_hidden(path.relative_to(base)))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _named(found: dict[Path, tuple[Path, Path]]) -> list[Picture]:
    """Name the pictures so that no two names are equal, on file systems that ignore case too."""
    if not found:
        return []
    names = [name.with_name(name.stem) for _, name in found.values()]
    # Two of one folder always differ in their suffixes alone, and only they keep them.
    stems = {path.with_name(path.stem) for path in found}
    clash = len({str(name).casefold() for name in names}) < len({str(stem).casefold() for stem in stems})
    # A pattern with .. after a star can leave the folder that it starts from; its results stay in `out`.
    if clash or any(".." in name.parts for name in names):
        common = os.path.commonpath([path.parent for path in found])
        names = [Path(os.path.relpath(path.with_name(path.stem), common)) for path in found]
    names = _with_suffixes(names, [path.suffix for path in found])
    return [Picture(typed, name) for (typed, _), name in zip(found.values(), names, strict=True)]


def _with_suffixes(stems: list[Path], suffixes: list[str]) -> list[Path]:
    """Add its suffix to each name that another picture has too, until all differ."""
    names, kept = list(stems), [False] * len(stems)
    while True:
        counts = Counter(str(name).casefold() for name in names)
        clash = [i for i, n in enumerate(names) if counts[str(n).casefold()] > 1 and not kept[i]]
        if not clash:
            return names
        for i in clash:
            names[i], kept[i] = names[i].with_name(names[i].name + suffixes[i]), True
