"""The pairs of pictures and masks in a folder, and their splits, from the folder's layout.

Three layouts, tried in this order:

1. the four folders of the configuration (`train_images`, `train_masks`, `val_images`, `val_masks`);
2. `images/` and `masks/`, with or without sub-folders; a mask has the path and stem of its picture. The splits are read
   from `train.txt`, `val.txt` and `test.txt`, one stem a line; or they are the folders `images/train`, `images/val`,
   `images/test`;
3. `train/` with `trainannot/`, `val/` with `valannot/`, `test/` with `testannot/`, and the same lists if there are any.

The usual names of splits are understood in any case: training; valid, validation and dev; testing. Sub-folders that
look like splits and are not understood are refused: their pictures would be trained on.

If only train or only val is listed, the other is the rest. If nothing defines a val split, every fifth picture is in
it, in the order of their stems' SHA-256: the same pictures on every machine, and not neighbours.
"""

import hashlib
import os
import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError
from dlv3.data.photos.images import IMAGE_SUFFIXES, MASK_SUFFIXES, OTHER_SUFFIXES
from dlv3.files import is_there

SPLITS = ("train", "val", "test")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
# train2017, val_images and holdout, but not trains or valley.
_LIKE_A_SPLIT = re.compile(
    r"(train(ing)?|val(id(ation)?)?|dev|test(ing)?|eval(uation)?|holdout)([^a-z].*)?", re.IGNORECASE
)


@dataclass(frozen=True)
class Pair:
    """A picture and its mask. `name` is the picture's path inside its folder, without the suffix."""

    name: str
    image: Path
    mask: Path


def find_splits(root: Path, config: DataConfig) -> dict[str, list[Pair]]:
    """Return the splits of a folder. Pictures that are in two of them are reported as a warning.

    Raises:
        DataError: a folder that does not exist, is empty or has an unknown layout, a picture without a mask, a listed
            name without a picture.
    """
    splits = _splits(root, config)
    _warn_of_overlap(splits, root)
    return splits


def _splits(root: Path, config: DataConfig) -> dict[str, list[Pair]]:
    if any((config.train_images, config.train_masks, config.val_images, config.val_masks)):
        return _configured(root, config)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    if (root / "images").is_dir() and (root / "masks").is_dir():
        return _images_and_masks(root)
    annotated = _annotated(root)
    if annotated:
        return _val_from_train(annotated)
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


@dataclass(frozen=True)
class _NameList:
    """The list of a split: its file and the names in it."""

    path: Path
    names: list[str]


def _images_and_masks(root: Path) -> dict[str, list[Pair]]:
    images, masks = root / "images", root / "masks"
    lists = _read_lists(root)
    if lists:
        if len(lists.keys() & {"train", "val"}) == 1:
            other = ({"train", "val"} - lists.keys()).pop()
            listed = {_stem(name, IMAGE_SUFFIXES) for each in lists.values() for name in each.names}
            everything = _files(images, IMAGE_SUFFIXES, "picture")
            rest = [name for name in everything if name not in listed]
            lists[other] = _NameList(root / f"{other}.txt", rest)
        return {split: _pair_up(images, masks, each) for split, each in lists.items()}
    folders = _folders_of_splits(images)
    pairs = _pair_up(images, masks, by_split=bool(folders))
    if folders:
        return _val_from_train({s: [p for p in pairs if p.name.startswith(f"{s}/")] for s in folders})
    return _val_from_train({"train": pairs})


def _annotated(root: Path) -> dict[str, list[Pair]]:
    """Pair train/ with trainannot/, and so on; {} if the folder does not exist."""
    folders = {path.name.casefold(): path for path in sorted(root.iterdir()) if path.is_dir()}
    found: dict[str, tuple[Path, Path]] = {}
    for name, path in folders.items():
        split, masks = _SPLIT_NAMES.get(name), folders.get(f"{name}annot")
        if split is not None and masks is not None:
            if split in found:
                raise DataError(
                    f"{path} and {found[split][0].name} are both the {split} split; keep one of them"
                )
            found[split] = path, masks
    bare = [path for name, path in folders.items() if _SPLIT_NAMES.get(name) == "val" and "val" not in found]
    if found and bare:
        raise DataError(f"{bare[0]}: no folder {bare[0].name}annot with its masks beside it; name it so")
    lists = _read_lists(root) if found else {}
    return {split: _pair_up(*folders, lists.get(split)) for split, folders in found.items()}


def _folders_of_splits(images: Path) -> set[str]:
    """Return the splits that the sub-folders of images/ stand for; none, if no sub-folder looks like a split.

    Raises:
        DataError: some look like splits, but not all pictures lie in one that is understood.
    """
    names = _files(images, IMAGE_SUFFIXES, "picture")
    alike = sorted({f for name in names for f in name.split("/")[:-1] if _LIKE_A_SPLIT.fullmatch(f)})
    if not alike:
        return set()
    tops = {name.split("/")[0] if "/" in name else "" for name in names}
    splits = [_SPLIT_NAMES.get(top.casefold()) for top in tops]
    if "train" not in splits or None in splits or len(set(splits)) < len(splits):
        raise DataError(
            f"{images}: sub-folders look like splits ({', '.join(alike[:8])}), but not every picture lies in one of "
            "train, val and test (or training, valid, validation, dev, testing; one folder for each): rename them, or "
            "list the pictures in train.txt and val.txt"
        )
    return {split for split in splits if split is not None}


def _val_from_train(splits: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Take every fifth training picture for validation, by the hash of its stem, if there is no val split."""
    if "val" in splits or "train" not in splits or len(splits["train"]) < 2:
        return splits
    by_hash = sorted(splits["train"], key=lambda pair: hashlib.sha256(pair.name.encode()).digest())
    chosen = {pair.name for pair in by_hash[::5]}
    train = [pair for pair in splits["train"] if pair.name not in chosen]
    return splits | {"train": train, "val": [pair for pair in splits["train"] if pair.name in chosen]}


def _pair_up(
    images: Path, masks: Path, listed: _NameList | None = None, *, by_split: bool = False
) -> list[Pair]:
    """Return pictures with their masks, sorted by name: all of them, or those listed.

    With `by_split` the sub-folders are splits, and names have the splits' own: "val/1" for Validation/1.png.
    """
    pictures = _files(images, IMAGE_SUFFIXES, "picture")
    labels = _files(masks, MASK_SUFFIXES, "mask")
    if by_split:
        pictures, labels = ({_in_split(name): file for name, file in f.items()} for f in (pictures, labels))
    if listed is None:
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
        composed = [unicodedata.normalize("NFC", name) for name in listed.names]
        wanted = [name if name in pictures else _stem(name, IMAGE_SUFFIXES) for name in composed]
        absent = [name for name in wanted if name not in pictures]
        if absent:
            raise DataError(
                f"{listed.path}: no picture {absent[0]!r}, which is listed, in {images} ({len(absent)} such names)"
            )
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
    """Return the files below a folder by path and stem ("a/b" for a/b.png), sorted, without hidden and other files.

    Names are composed (NFC): "é" is one letter, in whichever of the two ways the file system spells it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    others: list[str] = []
    for path in _below(folder):
        suffix = path.suffix.lower()
        if suffix not in suffixes:
            others += [suffix] if suffix in IMAGE_SUFFIXES or suffix in OTHER_SUFFIXES else []
            continue
        stem = unicodedata.normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())
        if stem in found:
            raise DataError(f"{path} and {found[stem].name} have the same name; each {what} needs its own")
        found[stem] = path
    if not found:
        hint = f"; its {len(others)} files of other kinds lose or change labels: save them as PNG"
        raise DataError(
            f"{folder}: no {what} in it ({', '.join(suffixes)}){hint if others and what == 'mask' else ''}"
        )
    if others and what == "picture":
        kinds = ", ".join(sorted(set(others)))
        warnings.warn(
            f"{folder}: {len(others)} files of kinds that are not read ({kinds}) are left out; save them as JPEG or "
            "PNG",
            stacklevel=2,
        )
    return dict(sorted(found.items()))


def _below(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, in order; links are followed, but not in a circle."""
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(parent))
        inside = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [name for name in inside if os.path.realpath(os.path.join(parent, name)) not in seen]
        yield from (
            path
            for file in sorted(files)
            if not file.startswith(".") and (path := Path(parent, file)).is_file()
        )


def _in_split(name: str) -> str:
    top, slash, rest = name.partition("/")
    return _SPLIT_NAMES.get(top.casefold(), top) + slash + rest


def _read_lists(root: Path) -> dict[str, _NameList]:
    """Return the names listed in train.txt, val.txt and test.txt, or in files with another usual name of a split."""
    found: dict[str, Path] = {}
    for path in sorted(root.glob("*.[tT][xX][tT]")):
        split = _SPLIT_NAMES.get(path.stem.casefold())
        if split is None:
            if _LIKE_A_SPLIT.fullmatch(path.stem):
                warnings.warn(
                    f"{path}: looks like the list of a split, and is not read; name it train.txt, val.txt or test.txt",
                    stacklevel=2,
                )
        elif split in found:
            raise DataError(f"{path} and {found[split].name} both list the {split} split; keep one of them")
        elif is_there(path):
            found[split] = path
    return {s: _read_list(found[s]) for s in SPLITS if s in found and found[s].is_file()}


def _read_list(path: Path) -> _NameList:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not a text file (UTF-8); expected one stem a line") from None
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise DataError(f"{path}: is empty; expected one stem a line")
    return _NameList(path, names)


def _stem(name: str, suffixes: tuple[str, ...]) -> str:
    """Return a listed name without its suffix, if it has one."""
    return name[: name.rindex(".")] if name.lower().endswith(suffixes) else name


def _warn_of_overlap(splits: dict[str, list[Pair]], root: Path) -> None:
    """Warn of pictures that are trained on and scored: by their files, whatever their names are."""
    trained = {os.path.realpath(pair.image) for pair in splits.get("train", [])}
    for split in ("val", "test"):
        shared = sorted(p.name for p in splits.get(split, []) if os.path.realpath(p.image) in trained)
        if shared:
            listed = root / f"{split}.txt"
            warnings.warn(
                f"{root}: {len(shared)} pictures are in train and in {split}, the first: {shared[0]}; scores on them "
                "say nothing about new pictures" + (f"; mend {listed.name}" if listed.is_file() else ""),
                stacklevel=2,
            )
