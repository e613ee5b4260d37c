"""PASCAL VOC 2012 and the Semantic Boundaries Dataset (§4.1), listed by torchvision's loaders.

VOC has 1,464 training and 1,449 validation pictures. SBD labels 11,355 pictures of VOC 2011, some of them VOC's
validation pictures. The paper's training set, trainaug, is the union of VOC's train with SBD's train and val, without
the pictures of VOC's val: 10,582. If both label a picture, VOC's mask is used, which has a border of 255 that SBD's has
not. (The paper does not say which it uses.)
"""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.datasets import SBDataset, VOCSegmentation

from dlv3.data.errors import DataError
from dlv3.data.labels import checked_labels, require_classes
from dlv3.data.palette import voc_palette
from dlv3.data.photos.counts import count_labels
from dlv3.data.photos.images import read_image, read_mask

VOC_CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train"),
    "tvmonitor",
)
VOC_SPLITS = ("train", "val", "trainval", "trainaug")
_GET_IT = "fetch it with `dlv3 data voc --root {root}`"


@dataclass(frozen=True)
class Entry:
    """A picture and its mask: VOC's palette PNG, or SBD's .mat."""

    name: str
    image: Path
    mask: Path


class VocDataset(Dataset[tuple[tv_tensors.Image, tv_tensors.Mask]]):
    """One split of VOC's segmentation task, from files that are there already.

    Args:
        root: the folder that holds VOCdevkit/.
        split: "train", "val", "trainval" or "trainaug".
        year: of the challenge, "2007" to "2012".
        sbd: SBD's folder (img/, cls/, train.txt, val.txt), for trainaug; root/sbd when left out.

    Raises:
        DataError: a folder, list or file that does not exist, or an unknown split.
    """

    classes: tuple[str, ...] = VOC_CLASSES
    num_classes = len(VOC_CLASSES)

    def __init__(
        self,
        root: str | PathLike[str],
        split: str,
        *,
        year: str = "2012",
        sbd: str | PathLike[str] | None = None,
    ) -> None:
        if split == "test":
            raise DataError("the labels of VOC's test split are not public; evaluate on val")
        if split not in VOC_SPLITS:
            raise DataError(f"split={split!r} of VOC: expected one of {', '.join(VOC_SPLITS)}")
        root = self.root = Path(root)
        if split == "trainaug":
            self.entries = _trainaug(root, year, Path(sbd) if sbd else root / "sbd")
        else:
            self.entries = _voc(root, year, split)
        _check_files(self.entries, root)
        self.palette = voc_palette(self.num_classes)
        self._present: dict[int, frozenset[int]] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        entry = self.entries[index]
        image, mask = read_image(entry.image), _read_labels(entry.mask)
        checked_labels(mask, self.num_classes, entry.mask)
        if mask.shape != image.shape[1:]:
            raise DataError(
                f"{entry.mask}: the mask is {tuple(mask.shape)} (height, width) and its picture {entry.image} "
                f"{tuple(image.shape[1:])}; fetch both again"
            )
        return image, mask  # (3, H, W), (H, W)

    def name(self, index: int) -> str:
        """Return the picture's stem, such as 2007_000032."""
        return self.entries[index].name

    def classes_in(self, index: int) -> frozenset[int]:
        """Return the classes that occur in a picture, without 255. The mask is read the first time."""
        index = range(len(self))[index]
        if index not in self._present:
            path = self.entries[index].mask
            self._present[index] = checked_labels(_read_labels(path), self.num_classes, path)
        return self._present[index]

    def label_counts(self) -> NDArray[np.int64]:
        """Return the pixels of each value in each picture's mask, (pictures, 256); 255 means no label.

        Every mask is read the first time; the counts are then kept on disk.

        Raises:
            DataError: a mask cannot be read, or a label is not a class.
        """
        masks = [entry.mask for entry in self.entries]
        counts = count_labels(masks, VocMasks(), self.root)
        require_classes(counts, self.num_classes, masks)
        return counts


def _voc(root: Path, year: str, split: str) -> list[Entry]:
    """Return VOC's own list of a split, in its order."""
    try:
        listed = VOCSegmentation(root, year=year, image_set=split)
    except ValueError as error:
        # torchvision's message names the possible years.
        raise DataError(f"VOC: {error}") from None
    except (RuntimeError, FileNotFoundError):
        raise DataError(
            f"{root}: no VOC {year} here; expected VOCdevkit/VOC{year}/ with JPEGImages/, SegmentationClass/ and "
            f"ImageSets/Segmentation/{split}.txt; {_GET_IT.format(root=root)}"
        ) from None
    pairs = zip(map(Path, listed.images), map(Path, listed.masks), strict=True)
    return [Entry(image.stem, image, mask) for image, mask in pairs]


def _trainaug(root: Path, year: str, sbd: Path) -> list[Entry]:
    """Return (VOC train ∪ SBD train ∪ SBD val) − VOC val, each picture once, sorted by name."""
    union = {}
    for image_set in ("train", "val"):
        try:
            listed = SBDataset(sbd, image_set=image_set, mode="segmentation")
        except FileNotFoundError:
            raise DataError(
                f"{sbd}: no SBD here, which trainaug needs; expected img/, cls/ and {image_set}.txt; "
                f"{_GET_IT.format(root=root)}, or train on VOC alone with voc_train=train"
            ) from None
        except RuntimeError as error:
            # SBD's masks are MATLAB files, which scipy reads.
            if "scipy" not in str(error).lower():
                raise DataError(f"{sbd}: no such folder; {_GET_IT.format(root=root)}") from None
            raise DataError("SBD's masks need scipy: pip install 'dlv3[voc]'") from None
        for image, mask in zip(map(Path, listed.images), map(Path, listed.masks), strict=True):
            union[image.stem] = Entry(image.stem, image, mask)
    union |= {entry.name: entry for entry in _voc(root, year, "train")}
    held_out = {entry.name for entry in _voc(root, year, "val")}
    return [union[name] for name in sorted(union.keys() - held_out)]


def _check_files(entries: list[Entry], root: Path) -> None:
    gone = [path for entry in entries for path in (entry.image, entry.mask) if not path.is_file()]
    if gone:
        raise DataError(
            f"{gone[0]}: is listed but does not exist ({len(gone)} such files); {_GET_IT.format(root=root)}"
        )


@dataclass(frozen=True)
class VocMasks:
    """The reader of VOC's and SBD's masks."""

    def __call__(self, path: Path) -> tv_tensors.Mask:
        return _read_labels(path)


def _read_labels(path: Path) -> tv_tensors.Mask:
    """Read VOC's palette PNG or SBD's .mat as (H, W) uint8."""
    if path.suffix != ".mat":
        return read_mask(path)
    from scipy.io import loadmat

    try:
        labels = loadmat(path, variable_names=["GTcls"])["GTcls"][0]["Segmentation"][0]
    except Exception as error:
        # scipy's reader raises many kinds of error for a truncated file.
        raise DataError(f"{path}: broken or not a mask of SBD ({error}); fetch it again") from error
    return tv_tensors.Mask(torch.from_numpy(labels.astype("uint8")))
