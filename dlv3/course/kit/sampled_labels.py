"""True labels sampled at an output stride and upsampled again: the error of sampling alone (section 4.1)."""

from torch import Tensor
from torch.nn import functional as F


def upsampled_truth(masks: Tensor, stride: int, num_classes: int, *, align_corners: bool = True) -> Tensor:
    """Sample labels every `stride` pixels and upsample them as logits are: one map per class, bilinearly.

    The result is a reference, not a bound: logits may hold more than the class at each sample.

    Args:
        masks: (N, H, W) int64 class indices, without labels to ignore.
        stride: pixels between samples; the first lies on pixel 0.
        num_classes: number of classes.
        align_corners: put the first and last samples on the first and last pixels, where they were taken; otherwise
            the result is half a cell off.

    Returns:
        (N, H, W) int64. If the stride divides H - 1 and W - 1, as in the paper's crops of 513, each sample returns
        exactly to its place.
    """
    sampled = masks[:, ::stride, ::stride]  # (N, h, w)
    scores = F.one_hot(sampled, num_classes).permute(0, 3, 1, 2).float()  # (N, C, h, w)
    scores = F.interpolate(scores, size=masks.shape[1:], mode="bilinear", align_corners=align_corners)
    return scores.argmax(1)
