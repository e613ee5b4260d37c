"""Turn scores on the coarse map into one label for each pixel of the image, in little memory."""

import torch
from torch import Tensor
from torch.nn import functional as F

STRIPS = {"cpu": 2 * 2**20, "cuda": 64 * 2**20}  # bytes of all classes' scores at once


def upsample(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Upsample bilinearly: (N, C, h, w) to (N, C, *size) in float32, in a tensor of its own."""
    return F.interpolate(scores.float(), size=size, mode="bilinear", align_corners=False)


def labels_at_size(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """Compute `F.interpolate(scores, size).argmax(1)` in strips of rows, without a full-size map of every class.

    Columns are interpolated first, which leaves few rows. Each strip that is interpolated between two of these stays
    in the processor's cache until its maximum over the classes is known.

    Args:
        scores: (N, C, h, w) logits or probabilities.
        size: (H, W) of the labels, in pixels.

    Returns:
        (N, H, W) int64.
    """
    N, C, h, _ = scores.shape
    H, W = size
    wide = upsample(scores.contiguous(memory_format=torch.channels_last), (h, W))  # (N, C, h, W)
    wide = wide.permute(0, 2, 3, 1)  # (N, h, W, C)
    # Each row of the labels as a place between two rows of the map.
    place = ((torch.arange(H, device=scores.device) + 0.5) * (h / H) - 0.5).clamp_(min=0)  # (H)
    above = place.long()
    below = (above + 1).clamp_(max=h - 1)
    share_below = (place - above)[:, None, None]
    labels = torch.empty(N, H, W, dtype=torch.int64, device=scores.device)
    strip = STRIPS.get(scores.device.type, STRIPS["cuda"])
    rows_at_once = max(1, strip // (N * C * W * wide.element_size()))
    for y in range(0, H, rows_at_once):
        rows = slice(y, y + rows_at_once)
        mixed = wide.index_select(1, above[rows])  # (N, rows_at_once, W, C)
        mixed.lerp_(wide.index_select(1, below[rows]), share_below[rows])
        labels[:, rows] = mixed.max(dim=3).indices
        # Freed before the next rows are taken.
        del mixed
    return labels
