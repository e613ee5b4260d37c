"""Checks of lesson 11, where it shows: what a map leaves, how far the evidence lies, what reach gives."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.ablations.paper.ceiling import sampled_scores
from dlv3.course.kit.answers import hint_for, number, tensor
from dlv3.course.kit.exercises import Wrong, close, exercise, require, written
from dlv3.deeplab import upsample

__all__ = ["by_reach", "needed", "stretched"]


def stretched(labels: Tensor, output_stride: int, num_classes: int) -> Tensor:
    """Return true labels (N, H, W), sampled where a map's samples lie and upsampled again as logits are."""
    return upsample(sampled_scores(labels, output_stride, num_classes), labels.shape[1:]).argmax(1)


def _labels(height: int, width: int, num_classes: int, seed: int) -> Tensor:
    """Draw two pictures of labels in patches of a few pixels."""
    generator = torch.Generator().manual_seed(seed)
    patches = torch.randint(num_classes, (2, 1, height // 6 + 1, width // 6 + 1), generator=generator)
    return F.interpolate(patches.float(), size=(height, width), mode="nearest")[:, 0].long()


def _as_labels(got: Tensor) -> Tensor:
    return torch.as_tensor(got).long()


@exercise("11/stretched-truth", title="The truth on a map", difficulty=3, minutes=9, gives=_as_labels)
def stretched_truth(attempt: Callable[[Tensor, int, int], Tensor]) -> str:
    for height, width, output_stride, num_classes in ((33, 33, 4, 3), (129, 129, 16, 5), (33, 49, 8, 4)):
        labels = _labels(height, width, num_classes, seed=output_stride)
        call = f"`stretched_truth(labels, {output_stride}, {num_classes})` with labels of shape {tuple(labels.shape)}"
        want = stretched(labels, output_stride, num_classes)
        got = tensor(attempt(labels.clone(), output_stride, num_classes), call)
        if got.shape == (2, num_classes, height, width):
            raise Wrong(
                f"{call} has one map for each class: take the `argmax` over the classes, dimension 1."
            )
        if got.shape != want.shape or not torch.equal(got.long(), want):
            close(got, want, call, hint=_sampling_slip(got, labels, output_stride, num_classes))
    return "No network, and no training: this is what a network gets that is right at every sample."


def _sampling_slip(got: Tensor, labels: Tensor, output_stride: int, num_classes: int) -> str:
    scores = sampled_scores(labels, output_stride, num_classes)
    size = labels.shape[1:]
    corners = F.one_hot(labels[:, ::output_stride, ::output_stride], num_classes).permute(0, 3, 1, 2).float()
    floored = [side // output_stride for side in size]
    sampled = F.interpolate(labels[:, None].float(), size=floored, mode="nearest-exact")[:, 0].long()
    small = F.one_hot(sampled, num_classes).permute(0, 3, 1, 2).float()
    old = F.interpolate(labels[:, None].float(), size=scores.shape[2:], mode="nearest")[:, 0].long()
    mixed = F.interpolate(scores.argmax(1)[:, None].float(), size=size, mode="bilinear")[:, 0]
    half = "The samples lie in the middles of their cells, half a step from the rim"
    return hint_for(
        got,
        [
            (upsample(corners, size).argmax(1), f'{half}: not `[::stride]`, but mode "nearest-exact".'),
            (upsample(F.one_hot(old, num_classes).permute(0, 3, 1, 2).float(), size).argmax(1),
             f'{half}: the mode "nearest" rounds down. Take "nearest-exact".'),
            (F.interpolate(scores, size=size, mode="bilinear", align_corners=True).argmax(1),
             "Stretch with `upsample`, as the network does: its corners are not aligned."),
            (upsample(small, size).argmax(1), "The map has ⌈side / output stride⌉ samples: round up."),
            (F.interpolate(scores, size=size, mode="nearest").argmax(1),
             "Stretch the one-hot maps bilinearly, as logits are: `upsample`."),
            (mixed, "Halfway between class 1 and class 3 is not class 2: upsample one map for each class."),
            (mixed.round(), "Halfway between class 1 and class 3 is not class 2: upsample one map for each class."),
        ],
    )  # fmt: skip


def needed(mask: Tensor) -> Tensor:
    """Return, for each pixel of an object, the reach to each side that holds the whole object: (n,)."""
    places = mask.nonzero()
    return torch.maximum(places - places.amin(0), places.amax(0) - places).amax(1)


@exercise("11/how-far", title="How far the evidence lies", difficulty=2, minutes=7, gives=_as_labels)
def how_far(attempt: Callable[[Tensor], Tensor]) -> str:
    masks = []
    for size, top, left, bottom, right in (((7, 8), 1, 2, 5, 7), ((9, 7), 0, 3, 8, 4), ((5, 5), 2, 2, 3, 3)):
        mask = torch.zeros(size, dtype=torch.bool)
        mask[top:bottom, left:right] = True
        masks.append(mask)
    masks[0][2, 3:5] = False  # a hole: the object's rows and columns stay
    for mask in masks:
        rows = ["".join(".#"[cell] for cell in row) for row in mask.int().tolist()]
        call = f"`how_far(mask)` for the object {' / '.join(rows)}"
        got = tensor(attempt(mask.clone()), call)
        want = needed(mask)
        require(
            got.shape != mask.shape or mask.shape == want.shape,
            f"{call} gives a picture. Give one number for each pixel of the object: `mask.nonzero()` has their places.",
        )
        close(got, want, call, hint=_distance_slip(got, mask))
    return "A field of view is a square: the larger one of the two distances decides."


def _distance_slip(got: Tensor, mask: Tensor) -> str:
    places = mask.nonzero()
    low, high = places.amin(0), places.amax(0)
    both = torch.maximum(places - low, high - places)
    middle = (low + high) / 2
    return hint_for(
        got,
        [
            (both.amin(1), "Take the larger one of rows and columns: a field that is wide enough may be too low."),
            (both.sum(1), "A field of view is a square: take the larger one of rows and columns, not their sum."),
            (both[:, 0], "Those are the rows alone: the columns count too."),
            (both[:, 1], "Those are the columns alone: the rows count too."),
            (both, "Give one number for each pixel: the larger one of rows and columns."),
            ((places - low).amax(1), "You look up and left only. What lies below and right counts too."),
            ((high - places).amax(1), "You look down and right only. What lies above and left counts too."),
            ((places - middle).abs().amax(1), "Measure to the object's furthest side, not to its middle."),
            (both.double().norm(dim=1), "A field of view is a square, not a disc: take the larger distance."),
            (torch.minimum(places - low, high - places).amax(1), "That is the nearer side: the *furthest* one counts."),
            (both.amax(1) + 1, "One too many: from row 3 to row 7 it is 4."),
            (both.amax(), "That is the furthest of all: give one number for each pixel."),
        ],
    )  # fmt: skip


def by_reach(seen: float, classes: int) -> float:
    """Return the mIOU, from 0 to 1, of naming a share of the objects' pixels and guessing the others evenly."""
    right = seen + (1 - seen) / classes
    return (1 + classes * right / (2 - right)) / (classes + 1)


@exercise("11/by-reach", title="What reach alone would score", difficulty=2, minutes=7, gives=float)
def score_by_reach(attempt: Callable[[float, int], float]) -> str:
    for seen, classes in ((0.0, 4), (1.0, 4), (0.5, 4), (0.3, 10), (0.75, 2)):
        call = written("score_by_reach", (seen, classes))
        got = number(attempt(seen, classes), call)
        close(got, by_reach(seen, classes), call, tolerance=1e-6, hint=_reach_slip(got, seen, classes))
    return "It knows the pictures and the rates, and nothing of learning."


def _reach_slip(got: float, seen: float, classes: int) -> str:
    right = seen + (1 - seen) / classes
    iou = right / (2 - right)
    alone = seen / (2 - seen)
    return hint_for(
        got,
        [
            (100 * by_reach(seen, classes), "Give it from 0 to 1."),
            (iou, "That is the IOU of one class of objects. The mIOU is the mean with the ground's, which is 1."),
            ((1 + classes * right) / (classes + 1), "`right` is a share of pixels, not an IOU: divide by the union."),
            (right, "That is the share of right pixels. An IOU divides by the union, 2 − right."),
            ((1 + classes * alone) / (classes + 1), "A guess is right 1 time in `classes`: add (1 − seen) / classes."),
            ((1 + iou) / 2, "There are `classes` classes of objects and one ground: weigh them by their number."),
            ((1 + classes * iou) / classes, "The ground is a class too: divide by classes + 1."),
            (classes * iou / (classes + 1), "The ground is a class too, and its IOU is 1."),
        ],
    )  # fmt: skip
