"""Any folder of pictures and masks as a data set. `dlv3.data.photos.pairing` describes the possible layouts."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from os import PathLike
from pathlib import Path

from torch.utils.data import Dataset
from torchvision import tv_tensors
from tqdm import tqdm

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError
from dlv3.data.labels import checked_labels, labels_in
from dlv3.data.palette import IGNORE_INDEX, voc_palette
from dlv3.data.photos.images import read_mask, read_pair
from dlv3.data.photos.pairing import find_splits

_MANY = 1000  # masks: reading them takes long enough for a progress bar


class FolderDataset(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """One split of a folder of pictures and masks.

    Args:
        root: the folder.
        split: "train", "val" or "test".
        config: `ignore`, `num_classes`, `classes`, and the four folders if root has another layout.

    Raises:
        DataError: the folder, a file or the classes do not fit. A picture is read, and checked, when it is asked for.
    """

    def __init__(self, root: str | PathLike[str], split: str, config: DataConfig | None = None) -> None:
        config = config or DataConfig()
        self.root = Path(root)
        self.ignore = tuple(config.ignore)
        splits = find_splits(self.root, config)
        if not splits.get(split):
            raise DataError(
                f"{self.root}: no {split} pictures; it has {', '.join(s for s in splits if splits[s])}"
            )
        self.pairs = splits[split]
        self.classes = _class_names(self.root, config)
        if not self.classes:
            masks = tuple(pair.mask for s in sorted(splits) for pair in splits[s])
            self.classes = tuple(f"class {i}" for i in range(_count_classes(masks, self.ignore)))
        self.num_classes = len(self.classes)
        self.palette = voc_palette(self.num_classes)
        self._present: dict[int, frozenset[int]] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        pair = self.pairs[index]
        image, mask = read_pair(pair.image, pair.mask, self.ignore)
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
            self._present[index] = checked_labels(read_mask(path, self.ignore), self.num_classes, path)
        return self._present[index]


def _class_names(root: Path, config: DataConfig) -> tuple[str, ...]:
    """Return the given names, or those of classes.txt, or numbered ones; () if the number of classes is unknown."""
    names = tuple(config.classes)
    listed = root / "classes.txt"
    if not names and listed.is_file():
        names = tuple(
            line.strip() for line in listed.read_text(encoding="utf-8-sig").splitlines() if line.strip()
        )
    count = config.num_classes
    if count is not None and not 1 <= count <= IGNORE_INDEX:
        raise DataError(f"num_classes={count}: expected 1 to {IGNORE_INDEX} (255 is not a label)")
    if names and count is not None and len(names) != count:
        raise DataError(f"num_classes={count}: {len(names)} classes are named; leave one of the two out")
    return names or tuple(f"class {i}" for i in range(count or 0))


def _count_classes(masks: Sequence[Path], ignore: tuple[int, ...]) -> int:
    """Return one more than the highest label in any mask of any split."""
    stamped = tuple((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in masks)
    labels = _scan(stamped, ignore)
    if not labels:
        raise DataError(f"{masks[0].parent}: no labelled pixel in {len(masks)} masks (255 is not a label)")
    highest = max(labels)
    if highest == 0:
        raise DataError(
            f"{masks[0].parent}: the masks hold only class 0, and 255, which is not a label; if 255 is a class, "
            "save it as 1"
        )
    if highest >= 64 and len(labels) < (highest + 1) / 4:
        shown = ", ".join(str(label) for label in sorted(labels)[:8])
        raise DataError(
            f"{masks[0].parent}: the labels {shown}{', …' if len(labels) > 8 else ''} look like grey levels, not "
            f"class indices; save classes as 0, 1, 2, …, or give num_classes={highest + 1} if they are meant"
        )
    return highest + 1


# Cached because train and val are opened one after the other, with the same masks.
@lru_cache(maxsize=8)
def _scan(stamped: tuple[tuple[Path, int, int], ...], ignore: tuple[int, ...]) -> frozenset[int]:
    """Return all labels in these masks. Times and sizes are part of the key, so that a changed mask is read again."""
    with ThreadPoolExecutor() as pool:
        each = pool.map(lambda entry: labels_in(read_mask(entry[0], ignore)), stamped)
        bar = tqdm(each, total=len(stamped), desc="reading masks", unit="mask", disable=len(stamped) < _MANY)
        return frozenset().union(*bar)
