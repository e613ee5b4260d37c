"""A folder of pictures and masks, checked as a whole before anything is trained on it."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError
from dlv3.data.labels import require_classes
from dlv3.data.photos.alike import Look, alike
from dlv3.data.photos.folder import class_names, colour_table, inferred_classes
from dlv3.data.photos.images import MaskReader, read_pair
from dlv3.data.photos.pairing import SPLITS, Pair, find_splits
from dlv3.data.shares import ClassShares


@dataclass(frozen=True)
class CheckedSplit:
    """The pictures and masks of one split, opened one by one."""

    name: str
    pictures: int
    sizes: tuple[tuple[tuple[int, int], int], ...]
    """Each (height, width) with its number of pictures, the most frequent first."""
    shares: ClassShares
    """Of the masks that can be read."""


@dataclass(frozen=True)
class FolderCheck:
    """The findings in a folder."""

    splits: tuple[CheckedSplit, ...]
    problems: tuple[str, ...]
    """A line for each thing that has to be mended: files that do not fit, pictures that are in two splits."""
    notes: tuple[str, ...]
    """A line for each thing to know: duplicates inside a split, classes that never occur."""


@dataclass(frozen=True)
class _Seen:
    """A pair, and the parts of it that are kept."""

    pair: Pair
    size: tuple[int, int] | None = None
    counts: NDArray[np.int64] | None = None
    """Pixels of each value of the mask, (256,)."""
    look: Look | None = None
    digest: bytes = b""
    """Of the picture's file."""
    problem: str | None = None


def check_folder(
    root: Path, config: DataConfig | None = None, channels: int = 3, *, progress: bool = True
) -> FolderCheck:
    """Open every picture and mask of a folder, and compare the pictures.

    Args:
        root: the folder.
        config: how it is read, as for a training.
        channels: of the pictures, see `dlv3.data.read_image`.
        progress: whether to show a bar, where there is a terminal to show it on.

    Raises:
        DataError: its layout, lists or classes cannot be used at all.
    """
    config = config or DataConfig()
    reader = MaskReader(tuple(config.ignore), colour_table(root, config))
    pairs = {split: found for split, found in find_splits(root, config).items() if found}
    seen: dict[str, list[_Seen]] = {}
    total = sum(map(len, pairs.values()))
    with (
        ThreadPoolExecutor() as pool,
        tqdm(total=total, desc="check", unit="picture", disable=None if progress else True) as bar,
    ):
        for name, listed in pairs.items():
            seen[name] = []
            for one in pool.map(partial(_open, reader, channels, config.image_bits), listed):
                seen[name].append(one)
                bar.update()
    classes = class_names(root, config, reader.colours) or _numbered(seen, root)
    for entries in seen.values():
        entries[:] = [_with_labels_checked(one, len(classes)) for one in entries]
    problems = [one.problem for entries in seen.values() for one in entries if one.problem is not None]
    splits = [_summary(name, classes, seen[name]) for name in SPLITS if name in seen]
    notes: list[str] = []
    # What is missing in other splits stands in the table, and does no harm.
    readable = [split for split in splits[:1] if split.sizes]
    for split in readable:
        try:
            split.shares.require_two(str(root))
        except DataError as error:
            problems.append(str(error))
        missing = split.shares.warning(str(root))
        notes += [missing] if missing else []
    for name, entries in seen.items():
        notes += _copies(name, entries)
    problems += _shared(seen)
    return FolderCheck(tuple(splits), tuple(problems), tuple(notes))


def _open(reader: MaskReader, channels: int, bits: int, pair: Pair) -> _Seen:
    try:
        digest = sha256(pair.image.read_bytes()).digest()
        image, mask = read_pair(pair.image, pair.mask, reader.ignore, reader.colours, channels, bits)
    except DataError as error:
        return _Seen(pair, problem=str(error))
    except OSError as error:
        return _Seen(pair, problem=f"{pair.image}: {error.strerror}")
    pixels = image.numpy()
    counts = np.bincount(mask.numpy().ravel(), minlength=256)
    return _Seen(pair, (pixels.shape[1], pixels.shape[2]), counts, Look.of(pixels), digest)


def _numbered(seen: dict[str, list[_Seen]], root: Path) -> tuple[str, ...]:
    """Return numbered classes, as many as the labels that occur need."""
    rows = [one.counts for entries in seen.values() for one in entries if one.counts is not None]
    if not rows:
        first = next(one.problem for entries in seen.values() for one in entries if one.problem is not None)
        raise DataError(f"{root}: no picture can be read with its mask; the first: {first}")
    return tuple(f"class {i}" for i in range(inferred_classes(np.array(rows), root)))


def _with_labels_checked(one: _Seen, num_classes: int) -> _Seen:
    if one.counts is None:
        return one
    try:
        require_classes(one.counts[None], num_classes, [one.pair.mask])
    except DataError as error:
        return replace(one, problem=str(error))
    return one


def _summary(split: str, classes: tuple[str, ...], seen: Sequence[_Seen]) -> CheckedSplit:
    sizes = Counter(one.size for one in seen if one.size is not None)
    rows = [one.counts for one in seen if one.counts is not None]
    totals = np.sum(rows, axis=0) if rows else np.zeros(256, dtype=np.int64)
    pixels = tuple(totals[: len(classes)].tolist())
    shares = ClassShares(classes, pixels, int(totals[255]), len(seen))
    return CheckedSplit(split, len(seen), tuple(sizes.most_common()), shares)


def _copies(split: str, seen: Sequence[_Seen]) -> list[str]:
    """Return a line for each picture that is in a split twice under two names."""
    first: dict[bytes, Pair] = {}
    lines = []
    for one in seen:
        if one.digest and first.setdefault(one.digest, one.pair) is not one.pair:
            lines.append(f"{one.pair.image}: the same picture as {first[one.digest].image}, both in {split}")
    return lines


def _shared(seen: dict[str, list[_Seen]]) -> list[str]:
    """Return a line for each picture that is in two splits, as the same file or nearly the same picture."""
    lines = []
    for index, one in enumerate(SPLITS):
        for other in SPLITS[index + 1 :]:
            lines += _shared_by_two(one, seen.get(one, []), other, seen.get(other, []))
    return lines


def _shared_by_two(one: str, first: Sequence[_Seen], other: str, second: Sequence[_Seen]) -> list[str]:
    same = {entry.digest: entry for entry in first if entry.digest}
    lines = [
        f"{entry.pair.image}, in {other}: the same picture as {same[entry.digest].pair.image}, in {one}"
        for entry in second
        if entry.digest in same
    ]
    near_first = [entry for entry in first if entry.look is not None]
    near_second = [entry for entry in second if entry.look is not None and entry.digest not in same]
    pairs = alike(
        [entry.look for entry in near_first if entry.look is not None],
        [entry.look for entry in near_second if entry.look is not None],
    )
    return lines + [
        f"{near_second[b].pair.image}, in {other}: nearly the same picture as {near_first[a].pair.image}, in {one}"
        for a, b in pairs
    ]
