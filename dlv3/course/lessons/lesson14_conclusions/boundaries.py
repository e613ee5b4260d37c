"""The bands along the outlines of a segmentation, and a small conditional random field that moves the outlines.

DeepLab v1 and v2 ended in a fully connected CRF: every pixel talks to every other. This one lets a pixel talk to its
neighbours in a small window only, which shows what a CRF does at a price that a lesson can pay.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Offset = tuple[int, int]


def boundary_band(masks: Tensor, width: int) -> Tensor:
    """Return the trimap: pixels with another class within `width` pixels in any direction, diagonals included.

    Args:
        masks: (N, H, W) class numbers.
        width: at least 1.

    Returns:
        (N, H, W) bool.
    """
    values, window = masks[:, None].float(), 2 * width + 1
    highest = F.max_pool2d(values, window, stride=1, padding=width)  # padded with -inf: never the maximum
    lowest = -F.max_pool2d(-values, window, stride=1, padding=width)
    return (highest != lowest)[:, 0]


def within_reach(masks: Tensor, prediction: Tensor, width: int, num_classes: int) -> Tensor:
    """Return the pixels whose true class is predicted somewhere within `width` pixels: (N, H, W) bool."""
    votes = F.one_hot(prediction, num_classes).movedim(3, 1).float()  # (N, C, H, W)
    near = F.max_pool2d(votes, 2 * width + 1, stride=1, padding=width)
    return near.gather(1, masks[:, None].long())[:, 0] > 0


def window(radius: int) -> list[Offset]:
    """Return the steps (down, right) to all neighbours in a square window, without the pixel itself."""
    steps = range(-radius, radius + 1)
    return [(y, x) for y in steps for x in steps if (y, x) != (0, 0)]


def shifted(maps: Tensor, down: int, right: int) -> Tensor:
    """Return each pixel's neighbour `down` rows below and `right` columns to the right; 0 beyond the picture.

    (N, C, H, W) to the same.
    """
    height, width = maps.shape[2:]
    room = max(abs(down), abs(right))
    return F.pad(maps, (room,) * 4)[:, :, room + down :, room + right :][:, :, :height, :width]


def pair_weights(
    pictures: Tensor, offsets: Sequence[Offset], reach: float, contrast: float | None
) -> list[Tensor]:
    """Return how strongly each pixel is tied to its neighbours: more to near ones and to ones of its own colour.

    Args:
        pictures: (N, 3, H, W), colours from 0 to 255.
        offsets: which neighbours.
        reach: in pixels; the weight falls as a Gaussian of the distance.
        contrast: in grey levels; the weight falls with the difference in colour too. None: colours do not count.

    Returns:
        For each neighbour (N, 1, H, W), 0 where it lies beyond the picture.
    """
    inside = torch.ones_like(pictures[:, :1])
    weights = []
    for down, right in offsets:
        exponent = torch.full_like(inside, (down**2 + right**2) / (2 * reach**2))
        if contrast is not None:
            other = (pictures - shifted(pictures, down, right)).square().sum(1, keepdim=True)
            exponent = exponent + other / (2 * contrast**2)
        weights.append(torch.exp(-exponent) * shifted(inside, down, right))
    return weights


def mean_field_step(q: Tensor, unary: Tensor, weights: Sequence[Tensor], offsets: Sequence[Offset]) -> Tensor:
    """Make one round of messages: every pixel hears what its neighbours believe, and decides again.

    Args:
        q: (N, C, H, W), what each pixel believes before; sums to 1 over the classes.
        unary: (N, C, H, W), the network's log-probabilities.
        weights: of each neighbour, from `pair_weights`.
        offsets: the neighbours.

    Returns:
        (N, C, H, W), what each pixel believes after.
    """
    message = torch.zeros_like(q)
    for weight, offset in zip(weights, offsets, strict=True):
        message = message + weight * shifted(q, *offset)
    return F.softmax(unary + message, dim=1)


def crf(unary: Tensor, weights: Sequence[Tensor], offsets: Sequence[Offset], rounds: int = 5) -> Tensor:
    """Return the labels (N, H, W) after some rounds of messages.

    Args:
        unary: (N, C, H, W), the network's log-probabilities.
        weights: of each neighbour, from `pair_weights`.
        offsets: the neighbours.
        rounds: how many.
    """
    q = unary.exp()
    for _ in range(rounds):
        q = mean_field_step(q, unary, weights, offsets)
    return q.argmax(1)
