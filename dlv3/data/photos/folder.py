"""Any folder of pictures and masks as a data set. `dlv3.data.photos.pairing` describes the possible layouts."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset
from torchvision import tv_tensors

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError
from dlv3.data.labels import checked_labels, require_classes
from dlv3.data.palette import IGNORE_INDEX, voc_palette
from dlv3.data.photos.colours import TABLES, ColourTable, read_colours
from dlv3.data.photos.counts import count_labels
from dlv3.data.photos.images import MaskReader, read_pair
from dlv3.data.photos.pairing import find_splits
from dlv3.data.shares import looks_like_grey_levels
from dlv3.files import is_there


class FolderDataset(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """One split of a folder of pictures and masks.

    Args:
        root: the folder.
        split: "train", "val" or "test".
        config: `ignore`, `num_classes`, `classes`, `colours`, `image_bits`, and the four folders if root has another
            layout.
        channels: of the pictures, see `dlv3.data.read_image`.

    Raises:
        DataError: the folder, a file or the classes do not fit. A picture is read, and checked, when it is asked for.
    """

    def __init__(
        self, root: str | PathLike[str], split: str, config: DataConfig | None = None, channels: int = 3
    ) -> None:
        config = config or DataConfig()
        self._pixels = {"channels": channels, "bits": config.image_bits}
        self.root = Path(root)
        self.ignore = tuple(config.ignore)
        self._colours = colour_table(self.root, config)
        self._read_mask = MaskReader(self.ignore, self._colours)
        splits = find_splits(self.root, config)
        if not splits.get(split):
            options = "" if split == "test" else f", or give {split}_images and {split}_masks"
            raise DataError(
                f"{self.root}: no {split} pictures; it has {', '.join(s for s in splits if splits[s])}: name some in "
                f"{split}.txt, one a line{options}"
            )
        self.pairs = splits[split]
        self.classes = class_names(self.root, config, self._colours)
        if not self.classes:
            masks = [pair.mask for s in sorted(splits) for pair in splits[s]]
            inferred = inferred_classes(self._counts(masks), masks[0].parent)
            self.classes = tuple(f"class {i}" for i in range(inferred))
        self.num_classes = len(self.classes)
        self.palette = voc_palette(self.num_classes) if self._colours is None else self._colours.palette
        self._present: dict[int, frozenset[int]] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        pair = self.pairs[index]
        image, mask = read_pair(pair.image, pair.mask, self.ignore, self._colours, **self._pixels)
        checked_labels(mask, self.num_classes, pair.mask)
        return image, mask  # (3, H, W), (H, W)

    def name(self, index: int) -> str:
        """Return the picture's path inside its folder, without the suffix."""
        return self.pairs[index].name

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes that occur in a picture, without 255. The mask is read the first time."""
        index = range(len(self))[index]
        if index not in self._present:
            path = self.pairs[index].mask
            self._present[index] = checked_labels(self._read_mask(path), self.num_classes, path)
        return self._present[index]

    def label_counts(self) -> NDArray[np.int64]:
        """Return the pixels of each value in each picture's mask, (pictures, 256); 255 means no label.

        Every mask is read the first time; the counts are then kept on disk.

        Raises:
            DataError: a mask cannot be read, or a label is not a class.
        """
        masks = [pair.mask for pair in self.pairs]
        counts = self._counts(masks)
        require_classes(counts, self.num_classes, masks)
        return counts

    def _counts(self, masks: Sequence[Path]) -> NDArray[np.int64]:
        return count_labels(masks, self._read_mask, self.root)


def colour_table(root: Path, config: DataConfig) -> ColourTable | None:
    """Return the table of the masks' colours that is given or lies in the folder; None where there is none.

    Raises:
        DataError: there are two tables in the folder, or one that cannot be read.
    """
    if config.colours is not None:
        return read_colours(root / config.colours)
    found = [root / name for name in TABLES if is_there(root / name)]
    if len(found) > 1:
        raise DataError(f"{root}: has {' and '.join(path.name for path in found)}; keep one of these tables")
    return read_colours(found[0]) if found else None


def class_names(root: Path, config: DataConfig, colours: ColourTable | None = None) -> tuple[str, ...]:
    """Return the names given, or of the colours, or of classes.txt, or numbered ones; () if their number is unknown.

    Raises:
        DataError: the names, their number and the colours do not fit together.
    """
    names, source = tuple(config.classes), "classes"
    listed = root / "classes.txt"
    if not names and is_there(listed):
        names, source = _listed_names(listed), str(listed)
        if colours is not None and names != colours.classes:
            raise DataError(
                f"{listed} and {colours.path} name different classes, or in another order; keep the table alone"
            )
    if colours is not None:
        if names and len(names) != len(colours.classes):
            raise DataError(
                f"classes={names!r}: {colours.path} has {len(colours.classes)} classes; give as many names, or none"
            )
        names = names or colours.classes
    count = config.num_classes
    if names and not 2 <= len(names) <= IGNORE_INDEX:
        raise DataError(
            f"{source}: names {len(names)} classes; expected 2 to {IGNORE_INDEX}: one kind of object makes two "
            "classes, background and object"
        )
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise DataError(f"{source}: names {twice[0]!r} twice; give each class a name of its own")
    if names and count is not None and len(names) != count:
        raise DataError(f"num_classes={count}: {len(names)} classes are named; leave one of the two out")
    return names or tuple(f"class {i}" for i in range(count or 0))


def _listed_names(path: Path) -> tuple[str, ...]:
    """Return the names in classes.txt, one a line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not a text file (UTF-8); expected one name a line") from None
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise DataError(f"{path}: is empty; expected one name a line")
    return names


def inferred_classes(counts: NDArray[np.int64], folder: Path) -> int:
    """Return one more than the highest label in any mask of any split.

    Args:
        counts: pixels of each value in each mask, (masks, 256).
        folder: of the masks, for the messages.

    Raises:
        DataError: fewer than two classes occur, or the labels look like grey levels.
    """
    labels = np.flatnonzero(counts.sum(axis=0)[:IGNORE_INDEX]).tolist()
    if not labels:
        raise DataError(f"{folder}: no labelled pixel in {len(counts)} masks (255 means no label)")
    highest = max(labels)
    if highest == 0:
        raise DataError(
            f"{folder}: the masks hold only class 0, and 255, which means no label; if 255 is a class, save it as 1"
        )
    if looks_like_grey_levels(labels):
        shown = ", ".join(str(label) for label in labels[:8])
        raise DataError(
            f"{folder}: the labels {shown}{', …' if len(labels) > 8 else ''} look like grey levels, not "
            f"class indices; save classes as 0, 1, 2, …, or give num_classes={highest + 1} if they are meant"
        )
    return highest + 1
