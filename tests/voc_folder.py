"""A folder shaped like VOC 2012 with SBD beside it: a few small pictures, everything else as the real one has it."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat
from scipy.sparse import csc_array

from dlv3.data.palette import voc_palette

# name: (label of the object, in VOC's train or val list, in SBD's train or val list)
PICTURES = {
    "2007_000032": (1, "train", None),
    "2007_000033": (9, "val", None),
    "2008_000002": (20, None, "train"),
    "2008_000003": (2, "train", "train"),  # labelled by both
    "2008_000008": (13, None, "val"),
    "2009_000001": (18, "val", "train"),  # the trap: VOC's val, in SBD's train
    "2009_000002": (11, "train", "val"),  # labelled by both
    "2010_000001": (16, "val", "val"),  # the trap again
}


def voc_mask(label: int) -> np.ndarray:
    """(8, 10): an object inside a border of 255."""
    mask = np.zeros((8, 10), np.uint8)
    mask[1:6, 2:8] = 255
    mask[2:5, 3:7] = label
    return mask


def sbd_mask(label: int) -> np.ndarray:
    """(8, 10): SBD's outline of the same, which has no border and differs a little."""
    mask = np.zeros((8, 10), np.uint8)
    mask[2:6, 3:7] = label
    return mask


def make_voc(root: Path, sbd: bool = True) -> Path:
    """Write it below root; returns root."""
    base = root / "VOCdevkit" / "VOC2012"
    folders = [base / "JPEGImages", base / "SegmentationClass", base / "ImageSets" / "Segmentation"]
    folders += [root / "sbd" / "img", root / "sbd" / "cls"] if sbd else []
    for folder in folders:
        folder.mkdir(parents=True)
    for number, (name, (label, voc_split, sbd_split)) in enumerate(PICTURES.items()):
        photo = Image.fromarray(np.full((8, 10, 3), 20 * number, np.uint8))
        photo.save(base / "JPEGImages" / f"{name}.jpg")
        if voc_split:
            mask = Image.fromarray(voc_mask(label))
            mask.putpalette(voc_palette(256).tobytes())
            mask.save(base / "SegmentationClass" / f"{name}.png")
        if sbd and sbd_split:
            photo.save(root / "sbd" / "img" / f"{name}.jpg")
            boundaries = np.empty((20, 1), dtype=object)
            boundaries[:, 0] = [csc_array((8, 10), dtype=np.uint8)] * 20
            fields = {
                "Boundaries": boundaries,
                "Segmentation": sbd_mask(label),
                "CategoriesPresent": [[label]],
            }
            savemat(root / "sbd" / "cls" / f"{name}.mat", {"GTcls": fields}, do_compression=True)
    voc = {s: [n for n, (_, v, _) in PICTURES.items() if v == s] for s in ("train", "val")}
    voc["trainval"] = sorted(voc["train"] + voc["val"])
    for split, names in voc.items():
        (base / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(names) + "\n")
    for split in ("train", "val") if sbd else ():
        listed = [n for n, (_, _, s) in PICTURES.items() if s == split]
        (root / "sbd" / f"{split}.txt").write_text("\n".join(listed) + "\n")
    return root
