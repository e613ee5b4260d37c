"""The pixels of each label in every mask: counted once, and kept in a hidden file beside the pictures.

The file is `.dlv3-labels.json` in the data's folder; where nothing can be written there, it lies in the user's cache
folder. A mask is counted again when its time or size changes, or when it is read in another way (`ignore`, colours).
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from platformdirs import user_cache_path
from tqdm import tqdm

from dlv3.files import write_atomically

_MANY = 1000  # masks: reading them takes long enough for a progress bar
_FORMAT = 1  # of the file

Read = Callable[[Path], torch.Tensor]
Stamped = tuple[Path, int, int]
"""A mask, the time of its last change in nanoseconds, and its size in bytes."""


def count_labels(masks: Sequence[Path], read: Read, root: Path) -> NDArray[np.int64]:
    """Count the pixels of each value in masks.

    Args:
        masks: the files.
        read: returns a mask as (H, W) uint8. Its repr says how: counts that were read in another way are not taken.
        root: the data's folder, beside whose files the counts are kept.

    Returns:
        (masks, 256), read-only; column 255 counts the pixels without a label.

    Raises:
        DataError: a mask cannot be read.
    """
    stamped = tuple((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in masks)
    return _count(stamped, read, root)


# Cached because train and val are opened one after the other, with the same masks.
@lru_cache(maxsize=8)
def _count(stamped: tuple[Stamped, ...], read: Read, root: Path) -> NDArray[np.int64]:
    reading = repr(read)
    kept = _load(root, reading)
    todo = [entry for entry in stamped if _key(entry, root) not in kept]
    if todo:
        with ThreadPoolExecutor() as pool:
            each = pool.map(lambda entry: np.bincount(read(entry[0]).numpy().ravel(), minlength=256), todo)
            bar = tqdm(each, total=len(todo), desc="counting labels", unit="mask", disable=len(todo) < _MANY)
            kept |= {_key(entry, root): counts for entry, counts in zip(todo, bar, strict=True)}
        _keep(root, reading, kept)
    table = np.array([kept[_key(entry, root)] for entry in stamped], dtype=np.int64).reshape(-1, 256)
    table.setflags(write=False)
    return table


def _key(entry: Stamped, root: Path) -> str:
    path, changed, size = entry
    name = path.relative_to(root) if path.is_relative_to(root) else path.absolute()
    return f"{name.as_posix()} {changed} {size}"


def _places(root: Path) -> list[Path]:
    """Return where counts may be kept: beside the pictures, unless nobody may write there; else in the user's cache."""
    name = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:32]
    cache = user_cache_path("dlv3") / "labels" / f"{name}.json"
    # The superuser can write everywhere, and should not into a folder that is meant to stay as it is.
    writable = root.is_dir() and root.stat().st_mode & 0o222 and os.access(root, os.W_OK)
    return [root / ".dlv3-labels.json", cache] if writable else [cache]


def _load(root: Path, reading: str) -> dict[str, NDArray[np.int64]]:
    """Return the kept counts; none where there is no file, or one that does not fit."""
    for path in _places(root):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["format"] == _FORMAT and kept["reading"] == reading:
                return {name: _dense(counts) for name, counts in kept["masks"].items()}
        except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            continue
    return {}


def _keep(root: Path, reading: str, kept: dict[str, NDArray[np.int64]]) -> None:
    masks = {name: {int(v): int(row[v]) for v in np.flatnonzero(row)} for name, row in kept.items()}
    text = json.dumps({"format": _FORMAT, "reading": reading, "masks": masks})
    for path in _places(root):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode())
            return
        except OSError:
            # Counted again next time.
            continue


def _dense(counts: dict[str, int]) -> NDArray[np.int64]:
    row = np.zeros(256, dtype=np.int64)
    for value, pixels in counts.items():
        if not (isinstance(pixels, int) and pixels >= 0 and 0 <= int(value) <= 255):
            raise ValueError(f"{pixels!r} pixels of label {value!r}")
        row[int(value)] = pixels
    return row
