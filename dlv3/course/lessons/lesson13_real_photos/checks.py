"""Checks of lesson 13 on masks and crops: remapping a mask, padding a crop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit.answers import Slips, hint_for, several, tensor
from dlv3.course.kit.exercises import close, exercise, require, unfinished, written
from dlv3.course.lessons.lesson13_real_photos.checks_folder import problems_in
from dlv3.course.lessons.lesson13_real_photos.checks_recipe import hours_on_gpu

__all__ = ["hours_on_gpu", "padded", "problems_in", "remapped"]

IGNORE = 255
Mask = npt.NDArray[np.uint8]


def remapped(numbers: Mask, table: dict[int, int]) -> Mask:
    """Return the mask with the table's classes, and 255 for numbers that are not in the table."""
    lookup = np.full(256, IGNORE, np.uint8)
    lookup[list(table)] = list(table.values())
    classes: Mask = lookup[numbers]
    return classes


def _one_after_another(numbers: Mask, table: dict[int, int]) -> Mask:
    """Remap with a usual mistake: values that were already written are read again."""
    mask = numbers.copy()
    for old, new in table.items():
        mask[mask == old] = new
    mask[~np.isin(numbers, list(table))] = IGNORE
    return mask


def _as_mask(got: Mask | Tensor) -> Mask:
    return np.asarray(got, np.uint8)


@exercise("13/remap", title="From the tool's numbers to classes", difficulty=2, minutes=6, gives=_as_mask)
def remap(attempt: Callable[[Mask, dict[int, int]], Any]) -> str:
    cases = (
        ([[0, 20, 20], [99, 30, 0]], {0: 0, 20: 1, 30: 2}),
        ([[0, 1, 2], [2, 3, 255]], {0: 0, 1: 2, 2: 3, 3: 1}),
        ([[7, 7, 9], [0, 250, 9]], {9: 0, 0: 1}),
    )
    for rows, table in cases:
        numbers = np.array(rows, np.uint8)
        call = f"`remap({rows}, {table})`"
        got = attempt(numbers.copy(), dict(table))
        unfinished(got, call)
        require(
            isinstance(got, np.ndarray | Tensor),
            f"{call} gives a {type(got).__name__}, but it should be an array (H, W).",
        )
        got = np.asarray(got)
        require(
            got.shape == numbers.shape,
            f"{call} has the shape {got.shape}; a mask keeps its height and width, {numbers.shape}.",
        )
        want = remapped(numbers, table)
        require(np.array_equal(got, want), _remap_slip(got, want, numbers, table, call))
        require(
            got.dtype == np.uint8,
            f"{call} is right but of type {got.dtype}; a mask file holds bytes: `dtype=np.uint8`.",
        )
    return (
        "A number that is not in the table is not a label. (A table of 256 entries does it in one look-up.)"
    )


def _remap_slip(got: Mask, want: Mask, numbers: Mask, table: dict[int, int], call: str) -> str:
    known = np.isin(numbers, list(table))
    if np.array_equal(got, _one_after_another(numbers, table)):
        hint = (
            "A pixel that was already changed is changed again by a later line of the table: read from the mask as it "
            "came, and write into another array."
        )
    elif np.array_equal(got[known], want[known]):
        wrong = set(got[~known].tolist()) - {IGNORE}
        hint = (
            f"Numbers that are not in the table became {sorted(wrong)}. They are not a class: write 255, even if they "
            "mean background to you. A wrong label is learned; a missing one is left out."
        )
    else:
        hint = "Look up `table[number]` for each pixel."
    return f"{call} gives {got.tolist()}, but it should be {want.tolist()}. {hint}"


def padded(image: Tensor, labels: Tensor, side: int, label: int) -> tuple[Tensor, Tensor]:
    """Return image and labels, filled up to `side` on the right and below."""
    right, below = side - labels.shape[1], side - labels.shape[0]
    return F.pad(image, (0, right, 0, below)), F.pad(labels, (0, right, 0, below), value=label)


@exercise("13/pad", title="Fill up a crop", difficulty=2, minutes=5, gives=tuple)
def pad(attempt: Callable[[Tensor, Tensor, int, int], tuple[Tensor, Tensor]]) -> str:
    generator = torch.Generator().manual_seed(0)
    for height, width, side, label in ((3, 5, 6, 255), (6, 2, 6, 0), (4, 4, 4, 255)):
        image = torch.randn(3, height, width, generator=generator)
        labels = torch.randint(0, 4, (height, width), generator=generator)
        call = written("pad", (image, labels, side, label))
        made = attempt(image.clone(), labels.clone(), side, label)
        got = several(made, call, 2, "two tensors, the image and its labels")
        want_image, want_labels = padded(image, labels, side, label)
        _same_crop(got[0], want_image, f"The image of {call}", _image_slips(image, side, label))
        _same_crop(got[1], want_labels, f"The label map of {call}", _label_slips(labels, side, label))
        require(
            got[1].dtype == torch.int64,
            f"The labels of {call} are {got[1].dtype}; `F.cross_entropy` wants int64, as they came.",
        )
    return "The picture is filled with a colour, the labels with a claim. Only 255 claims nothing."


def _same_crop(got: Any, want: Tensor, what: str, slips: Slips) -> None:
    close(tensor(got, what), want, what, hint=hint_for(got, slips))


def _image_slips(image: Tensor, side: int, label: int) -> Slips:
    height, width = image.shape[1:]
    right, below = side - width, side - height
    return [
        (F.pad(image, (0, right, 0, below), value=label), "Only the labels are filled with `label`. In a normalised "
         "picture the mean colour is 0."),
        (F.pad(image, (right, 0, below, 0)), "The picture stays at the top left: `F.pad` takes (left, right, top, "
         "bottom)."),
        (F.pad(image, (0, below, 0, right)), "Width and height are mixed up: `F.pad` begins with the last axis, the "
         "width."),
    ]  # fmt: skip


def _label_slips(labels: Tensor, side: int, label: int) -> Slips:
    right, below = side - labels.shape[1], side - labels.shape[0]
    return [
        (F.pad(labels, (0, right, 0, below), value=0), "`F.pad` fills with 0 unless you say `value=label`: every "
         "pixel outside the picture now claims to be background."),
        (F.pad(labels, (0, right, 0, below), value=255), "Fill with `label`, whatever it is: the lesson calls it "
         "with 255 and with 0, to compare."),
        (F.pad(labels, (0, below, 0, right), value=label), "Width and height are mixed up: `F.pad` begins with the "
         "last axis, the width."),
    ]  # fmt: skip
