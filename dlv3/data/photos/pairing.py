"""The pairs of pictures and masks in a folder, and their splits, from the folder's layout.

Three layouts, tried in this order:

1. the four folders of the configuration (`train_images`, `train_masks`, `val_images`, `val_masks`);
2. `images/` and `masks/`, with or without sub-folders; a mask has the path and stem of its picture. The splits are read
   from `train.txt`, `val.txt` and `test.txt`, one stem a line; or they are the folders `images/train`, `images/val`,
   `images/test`;
3. `train/` with `trainannot/`, `val/` with `valannot/`, `test/` with `testannot/`, and the same lists if there are any.

If only train or only val is listed, the other is the rest. If nothing defines a val split, every fifth picture is in
it, in the order of their stems' SHA-256: the same pictures on every machine, and not neighbours.
"""

import hashlib
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError
from dlv3.data.photos.images import IMAGE_SUFFIXES, MASK_SUFFIXES

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Pair:
    """A picture and its mask. `name` is the picture's path inside its folder, without the suffix."""

    name: str
    image: Path
    mask: Path


def find_splits(root: Path, config: DataConfig) -> dict[str, list[Pair]]:
    """Return the splits of a folder.

    Raises:
        DataError: a folder that does not exist, is empty or has an unknown layout, a picture without a mask, a listed
            name without a picture.
    """
    if any((config.train_images, config.train_masks, config.val_images, config.val_masks)):
        return _configured(root, config)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    if (root / "images").is_dir() and (root / "masks").is_dir():
        return _images_and_masks(root)
    annotated = [split for split in SPLITS if (root / split).is_dir() and (root / f"{split}annot").is_dir()]
    if annotated:
        lists = {split: _read_list(root / f"{split}.txt") for split in annotated}
        return _val_from_train({s: _pair_up(root / s, root / f"{s}annot", lists[s]) for s in annotated})
    raise DataError(
        f"{root}: has neither images/ and masks/ nor train/ and trainannot/; rename its folders, or give "
        "train_images, train_masks, val_images and val_masks"
    )


def _configured(root: Path, config: DataConfig) -> dict[str, list[Pair]]:
    splits = {}
    for split in ("train", "val"):
        images, masks = getattr(config, f"{split}_images"), getattr(config, f"{split}_masks")
        if (images is None) != (masks is None):
            given, missing = ("images", "masks") if masks is None else ("masks", "images")
            raise DataError(
                f"{split}_{given} is {images or masks!r} but {split}_{missing} is missing; give both"
            )
        if images is not None:
            splits[split] = _pair_up(root / images, root / masks)
    return _val_from_train(splits)


def _images_and_masks(root: Path) -> dict[str, list[Pair]]:
    images, masks = root / "images", root / "masks"
    lists = {split: names for split in SPLITS if (names := _read_list(root / f"{split}.txt")) is not None}
    if lists:
        if len(lists.keys() & {"train", "val"}) == 1:
            other = ({"train", "val"} - lists.keys()).pop()
            listed = {_stem(name, IMAGE_SUFFIXES) for names in lists.values() for name in names}
            everything = _files(images, IMAGE_SUFFIXES, "picture")
            lists[other] = [name for name in everything if name not in listed]
        splits = {split: _pair_up(images, masks, names) for split, names in lists.items()}
        _warn_of_overlap(splits, root)
        return splits
    pairs = _pair_up(images, masks)
    tops = {pair.name.split("/")[0] for pair in pairs if "/" in pair.name}
    if "train" in tops and tops <= set(SPLITS) and all("/" in pair.name for pair in pairs):
        return _val_from_train({t: [p for p in pairs if p.name.startswith(f"{t}/")] for t in sorted(tops)})
    return _val_from_train({"train": pairs})


def _val_from_train(splits: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Take every fifth training picture for validation, by the hash of its stem, if there is no val split."""
    if "val" in splits or "train" not in splits or len(splits["train"]) < 2:
        return splits
    by_hash = sorted(splits["train"], key=lambda pair: hashlib.sha256(pair.name.encode()).digest())
    chosen = {pair.name for pair in by_hash[::5]}
    train = [pair for pair in splits["train"] if pair.name not in chosen]
    return splits | {"train": train, "val": [pair for pair in splits["train"] if pair.name in chosen]}


def _pair_up(images: Path, masks: Path, names: Sequence[str] | None = None) -> list[Pair]:
    """Return pictures with their masks, sorted by name: all of them, or those listed."""
    pictures = _files(images, IMAGE_SUFFIXES, "picture")
    labels = _files(masks, MASK_SUFFIXES, "mask")
    if names is None:
        unused = sorted(labels.keys() - pictures.keys())
        # Harmless, so not an error; but it may be a mistake in the names.
        if unused:
            warnings.warn(
                f"{masks}: {len(unused)} of {len(labels)} masks have no picture in {images}, "
                f"the first: {labels[unused[0]].name}; they are left out",
                stacklevel=2,
            )
        wanted = sorted(pictures)
    else:
        wanted = [name if name in pictures else _stem(name, IMAGE_SUFFIXES) for name in names]
        absent = [name for name in wanted if name not in pictures]
        if absent:
            raise DataError(f"{images}: no picture {absent[0]!r}, which is listed ({len(absent)} such names)")
        if len(set(wanted)) != len(wanted):
            twice = next(name for name in wanted if wanted.count(name) > 1)
            raise DataError(f"{images}: {twice!r} is listed twice in one split; list each picture once")
    bare = [name for name in wanted if name not in labels]
    if bare:
        raise DataError(
            f"{pictures[bare[0]]}: no mask for it in {masks} ({len(bare)} of {len(wanted)} pictures have none); "
            f"expected {Path(bare[0]).as_posix()}.png"
        )
    return [Pair(name, pictures[name], labels[name]) for name in wanted]


def _files(folder: Path, suffixes: tuple[str, ...], what: str) -> dict[str, Path]:
    """Return the files below a folder by path and stem ("a/b" for a/b.png), sorted, without hidden and other files."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    lossy = 0
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for file in files:
            path = Path(parent, file)
            if file.startswith(".") or path.suffix.lower() not in suffixes:
                lossy += path.suffix.lower() in IMAGE_SUFFIXES
                continue
            stem = path.relative_to(folder).with_suffix("").as_posix()
            if stem in found:
                raise DataError(
                    f"{path} and {found[stem].name} have the same name; each {what} needs its own"
                )
            found[stem] = path
    if not found:
        hint = f"; its {lossy} files of other kinds lose or change labels: save them as PNG" if lossy else ""
        raise DataError(f"{folder}: no {what} in it ({', '.join(suffixes)}){hint}")
    return dict(sorted(found.items()))


def _read_list(path: Path) -> list[str] | None:
    """Return the names in a list, or None if the file does not exist."""
    if not path.is_file():
        return None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not a text file (UTF-8); expected one stem a line") from None
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DataError(f"{path}: is empty; expected one stem a line")
    return names


def _stem(name: str, suffixes: tuple[str, ...]) -> str:
    """Return a listed name without its suffix, if it has one."""
    return name[: name.rindex(".")] if name.lower().endswith(suffixes) else name


def _warn_of_overlap(splits: dict[str, list[Pair]], root: Path) -> None:
    trained = {pair.name for pair in splits.get("train", [])}
    for split in ("val", "test"):
        shared = sorted(trained & {pair.name for pair in splits.get(split, [])})
        if shared:
            warnings.warn(
                f"{root}: {len(shared)} pictures are in train.txt and in {split}.txt, the first: {shared[0]}; "
                "scores on them say nothing about new pictures",
                stacklevel=2,
            )
