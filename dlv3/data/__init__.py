"""Data sets: map-style, `dataset[i] -> (image, mask)`, opened by one line of text.

image: tv_tensors.Image uint8 (3, H, W); mask: tv_tensors.Mask uint8 (H, W), class indices, 255 without a label.
Each set has `classes`, `num_classes`, `palette`, `name(i)` and `classes_in(i)`. The names below are imported when
they are first used, so that `import dlv3` stays light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Literal, Protocol

from dlv3.config.data import DataConfig
from dlv3.data.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from torchvision.tv_tensors import Image, Mask

Split = Literal["train", "val", "test"]
SPLITS = ("train", "val", "test")
SPECS = (
    "scenes, outline, heads, markers:one, markers:mixed, markers:image, cells:near, cells:far, cells:dots, ground, "
    "folder:DIR, voc:DIR"
)

_HOMES = {
    "CellMarkers": "made.cells",
    "EvalTransform": "transforms",
    "FolderDataset": "photos.folder",
    "Ground": "made.ground",
    "Heads": "made.heads",
    "IMAGENET_MEAN": "transforms",
    "IMAGENET_STD": "transforms",
    "Markers": "made.markers",
    "Outline": "made.outline",
    "SCENES_PALETTE": "palette",
    "Scenes": "made.scenes",
    "TrainTransform": "transforms",
    "VocDataset": "photos.voc",
    "colourise": "palette",
    "download_voc": "photos.download",
    "overlay": "palette",
    "read_image": "photos.images",
    "read_mask": "photos.images",
    "save_palette_png": "palette",
    "voc_palette": "palette",
}
__all__ = ["DataConfig", "DataError", "SegmentationDataset", "open_dataset", *_HOMES]


class SegmentationDataset(Protocol):
    """The attributes and methods of every data set."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their indices."""

    @property
    def num_classes(self) -> int:
        """The number of classes."""

    @property
    def palette(self) -> "np.ndarray":
        """The colours of the classes: (num_classes, 3) uint8 RGB."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> "tuple[Image, Mask]": ...

    def name(self, index: int) -> str: ...

    def classes_in(self, index: int) -> frozenset[int]: ...


def open_dataset(
    spec: str, split: Split, config: DataConfig | None = None, channels: int = 3
) -> SegmentationDataset:
    """Open one split of a data set.

    Args:
        spec: "scenes", "outline", "heads", "markers:one", "markers:mixed", "markers:image", "cells:near",
            "cells:far", "cells:dots", "ground", "folder:DIR" or "voc:DIR".
        split: "train", "val" or "test".
        config: the options; the defaults when left out.
        channels: of the pictures, the model's `in_channels`; only a folder's can have other than 3, see `read_image`.

    Raises:
        DataError: a data set, split, folder or file that does not exist, or files that do not fit together.
    """
    config = config or DataConfig()
    kind, _, where = spec.partition(":")
    if split not in SPLITS:
        raise DataError(f"split={split!r}: expected one of {', '.join(SPLITS)}")
    if channels != 3 and kind != "folder":
        raise DataError(f"in_channels={channels}: expected 3, the channels of the pictures of {spec!r}")
    if kind == "scenes" and not where:
        from dlv3.data.made.scenes import Scenes

        return Scenes(
            split, size=config.size, scene_cue=config.scene_cue, pictures=config.pictures, seed=config.seed
        )
    if spec == "outline":
        from dlv3.data.made.outline import Outline

        return Outline(split, size=config.size, pictures=config.pictures, seed=config.seed)
    if spec == "heads":
        from dlv3.data.made.heads import Heads

        return Heads(split, size=config.size, pictures=config.pictures, seed=config.seed)
    if kind == "markers" and where in ("one", "mixed", "image"):
        from dlv3.data.made.markers import Markers

        return Markers(where, split, pictures=config.pictures, seed=config.seed)
    if kind == "cells" and where in ("near", "far", "dots"):
        from dlv3.data.made.cells import CellMarkers

        return CellMarkers(where, split, pictures=config.pictures, seed=config.seed)
    if spec == "ground":
        from dlv3.data.made.ground import Ground

        return Ground(split, pictures=config.pictures, seed=config.seed)
    if kind == "folder":
        from dlv3.data.photos.folder import FolderDataset

        return FolderDataset(where or ".", split, config, channels)
    if kind == "voc" and where:
        from dlv3.data.photos.voc import VocDataset

        voc_split = config.voc_train if split == "train" else split
        return VocDataset(where, voc_split, year=config.year, sbd=config.sbd)
    raise DataError(f"no data set {spec!r}; expected one of {SPECS}")


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
