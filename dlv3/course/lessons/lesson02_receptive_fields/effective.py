"""Lesson 02's effective receptive field: the square that holds a share of the weight, and its picture."""

import torch
from torch import Tensor

from dlv3.course.kit.pictures import cividis, png

# The root of a pixel's weight that is drawn in the brightest colour: the largest one of the lesson's trained network,
# somewhat lowered, so that faint weight shows.
BRIGHTEST = 0.034


def side_of_share(weights: Tensor, share: float = 0.95) -> int:
    """Return the side of the smallest centred square with at least this share of all weight; always odd."""
    rows = torch.arange(len(weights)) - len(weights) // 2
    ring = torch.maximum(rows.abs()[:, None], rows.abs()[None, :])  # how far from the centre
    within = torch.bincount(ring.flatten(), weights.flatten().double()).cumsum(0)
    return 2 * int((within < share * weights.sum()).sum()) + 1


def picture(weights: Tensor, share: float) -> bytes:
    """Draw weights as a PNG: brightness is the root of each, and a white square holds the share."""
    colours = cividis(weights.sqrt().numpy(), 0.0, BRIGHTEST)  # (n, n, 3)
    middle, half = len(weights) // 2, side_of_share(weights, share) // 2
    low, high = middle - half, middle + half
    colours[[low, high], low : high + 1] = 255
    colours[low : high + 1, [low, high]] = 255
    return png(colours)
