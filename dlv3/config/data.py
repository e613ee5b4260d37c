"""Options of the data sets: one frozen dataclass, each field with the paper's section where one applies."""

from dataclasses import dataclass
from typing import Annotated, Literal

from dlv3.ranges import Each, Pictures, Seed, Whole, check_fields

Sides = Annotated[int, Whole(129, 513)]
"""Of made pictures; 513 is the paper's crop."""
Labels = Annotated[
    int, Whole(2, 255, "255 means no label; one kind of object makes two classes, background and object")
]
"""Number of classes in masks."""
Bits = Annotated[int, Whole(9, 16)]
Year = Literal["2007", "2008", "2009", "2010", "2011", "2012"]
MaskValues = Annotated[tuple[int, ...], Each(Whole(0, 65_535), most=256)]


@dataclass(frozen=True)
class DataConfig:
    """Options of the data sets. Each is used by the sets it names and ignored by the others.

    Paths are relative to the folder of `folder:DIR` (or to the working directory for a bare `folder`).
    """

    ignore: MaskValues = ()
    """folder: mask values that are not labels; they become 255, which the loss and mIOU ignore."""

    num_classes: Labels | None = None
    """folder: number of classes; left out, every mask is read once to find it. 21 for VOC (§4.1)."""

    classes: tuple[str, ...] = ()
    """folder: names of the classes, in the order of their indices; left out, those of DIR/classes.txt, one a line."""

    colours: str | None = None
    """folder: a file with a line such as "128 64 128 road" for each class, for masks in colour; left out,
    DIR/colours.txt, DIR/labelmap.txt (CVAT) or DIR/class_dict.csv where there is one."""

    image_bits: Bits = 16
    """folder: bits that the values of 16-bit grey pictures use, such as 12: the largest one becomes white."""

    train_images: str | None = None
    """folder: the training photos, if they are not in DIR/images."""

    train_masks: str | None = None
    """folder: their masks."""

    val_images: str | None = None
    """folder: the validation photos."""

    val_masks: str | None = None
    """folder: their masks."""

    size: Sides = 129
    """scenes, outline, heads: side of a picture in pixels; 513 is the paper's crop (§4.1, "Crop size")."""

    scene_cue: bool = True
    """scenes: show a cue at the picture's edge that tells two kinds of disc apart (an image-level feature, §3.3)."""

    pictures: Pictures | None = None
    """scenes, outline, heads, markers: number of pictures in the split; each set has its own default."""

    seed: Seed = 0
    """scenes, outline, heads, markers: every picture is made from it and the picture's index."""

    voc_train: Literal["train", "trainaug", "trainval"] = "trainaug"
    """voc: the training split: trainaug for stage 1, trainval for stage 2 (§4.1, "Training protocol")."""

    year: Year = "2012"
    """voc: the year of the challenge. The paper's is 2012 (§4)."""

    sbd: str | None = None
    """voc: the folder of the Semantic Boundaries Dataset (img/, cls/); left out, DIR/sbd (§4.1)."""

    bootstrap_copies: Annotated[int, Whole(0, 1000)] = 0
    """Extra copies of each training picture with a hard class (§4.3, for the test entry); 0 is off.
    The paper duplicates such pictures but does not state how often."""

    bootstrap_classes: tuple[str, ...] = ("bicycle", "chair", "diningtable", "pottedplant", "sofa")
    """The hard classes, by name (§4.3)."""

    def __post_init__(self) -> None:
        check_fields(self)
