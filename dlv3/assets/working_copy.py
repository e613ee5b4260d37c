"""A learner's working copy of the lessons: notebooks without outputs, in a folder of the learner's own.

What a learner has changed is never written over. A manifest in the folder records the hash of every notebook as it was
copied: a file with that hash is unchanged and may be replaced by a newer version of the lesson; any other file is the
learner's, and the newer version is put beside it under a name of its own. Nothing is ever deleted.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlv3.files import write_atomically

MANIFEST = ".dlv3-lessons.json"
_FORMAT = 1


@dataclass
class Update:
    """The result of `update`: what it did to a working copy, as lists of file names."""

    folder: Path
    copied: list[str] = field(default_factory=list)
    """Lessons that were not there."""
    replaced: list[str] = field(default_factory=list)
    """Lessons of another version that the learner had not changed."""
    kept: dict[str, str] = field(default_factory=dict)
    """Lessons that the learner has changed, and the name of the newer version beside each."""
    damage: str | None = None
    """What is wrong with the manifest; None if it is sound."""

    def lines(self) -> list[str]:
        """Return what the learner should know, one line each."""
        said = []
        if self.damage:
            said.append(
                f"{self.folder / MANIFEST}: {self.damage}; every lesson that differs is kept as yours"
            )
        if self.copied:
            said.append(f"copied into {self.folder}: {_listed(self.copied)}")
        if self.replaced:
            said.append(f"replaced by this version's, as you had not changed them: {_listed(self.replaced)}")
        said += [
            f"{name} is yours and stays as it is; this version's lesson lies beside it: {beside}"
            for name, beside in self.kept.items()
        ]
        return said


def update(folder: Path, lessons: Path, version: str) -> Update:
    """Bring a working copy up to date with the lessons.

    Args:
        folder: the working copy; made if it does not exist. Files in it that are not lessons are left alone.
        lessons: the folder of the lessons' notebooks.
        version: the version of dlv3 the lessons are of; part of the name of a lesson put beside a changed one.

    Raises:
        ValueError: `folder` is the lessons' own folder.
        OSError: `folder` is a file, or cannot be written.
    """
    if folder.exists() and folder.samefile(lessons):
        raise ValueError(f"{folder}: holds the lessons themselves; give another folder for your working copy")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is a file; give a folder for your working copy of the lessons")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _update(folder, lessons, version)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"{folder}: cannot be written ({reason}); give another folder: dlv3 lab DIR") from error


def _update(folder: Path, lessons: Path, version: str) -> Update:
    done = Update(folder)
    copied, offered, done.damage = _read_manifest(folder / MANIFEST)
    before = (dict(copied), dict(offered))
    for lesson in sorted(lessons.glob("*.ipynb")):
        name, content = lesson.name, without_outputs(lesson.read_text(encoding="utf-8"))
        new, old = _hash(content), _hash_of_file(folder / name)
        if old == new:
            copied[name] = new
        elif old is None or (old == copied.get(name) and not (folder / name).is_symlink()):
            write_atomically(folder / name, content)
            (done.replaced if old else done.copied).append(name)
            copied[name] = new
        elif new not in (copied.get(name), offered.get(name)):
            done.kept[name] = _put_beside(folder / name, content, version)
            offered[name] = new
    if done.damage or before != (copied, offered):
        manifest = {"format": _FORMAT, "version": version, "copied": copied, "offered": offered}
        write_atomically(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())
    return done


def without_outputs(notebook: str) -> bytes:
    """Return a notebook as its author wrote it: no outputs, no execution counts, no state of widgets."""
    content = json.loads(notebook)
    content["metadata"].pop("widgets", None)
    for cell in content["cells"]:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return (json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _put_beside(path: Path, content: bytes, version: str) -> str:
    """Write a newer lesson beside the learner's under an unused name, and return that name."""
    number = 1
    while True:
        mark = f"-dlv3-{version}" + (f"-{number}" if number > 1 else "")
        beside = path.with_name(f"{path.stem}{mark}{path.suffix}")
        found = _hash_of_file(beside)
        if found is None:
            write_atomically(beside, content)
        if found in (None, _hash(content)):
            return beside.name
        number += 1


def _read_manifest(path: Path) -> tuple[dict[str, str], dict[str, str], str | None]:
    """Return the hashes of the copied lessons, those of the newer ones put beside, and what is wrong."""
    if not path.exists():
        return {}, {}, None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return _hashes(manifest["copied"]), _hashes(manifest["offered"]), None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}, {}, "is damaged and was written again"


def _hashes(value: Any) -> dict[str, str]:
    if isinstance(value, dict) and all(isinstance(text, str) for pair in value.items() for text in pair):
        return value
    raise TypeError("expected hashes by file name")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hash_of_file(path: Path) -> str | None:
    """Return a file's hash; None if the path does not exist, "" if it is not a readable file."""
    try:
        return _hash(path.read_bytes())
    except FileNotFoundError:
        return "" if path.is_symlink() else None
    except OSError:
        return ""


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} notebooks"
