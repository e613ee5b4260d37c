"""True labels that pass through a map of an output stride: what sampling alone costs (section 4.1)."""

from torch import Tensor
from torch.nn import functional as F


def upsampled_truth(masks: Tensor, stride: int, num_classes: int) -> Tensor:
    """Sample labels every `stride` pixels and upsample them as logits are: one map per class, bilinearly.

    It is a reference line, not a bound: logits may say more than which class is at the sample.

    Args:
        masks: (N, H, W) int64 class indices, without labels to ignore.
        stride: pixels between samples; the first lies on pixel 0.
        num_classes: classes.

    Returns:
        (N, H, W) int64. Where the stride divides H - 1 and W - 1, as in the paper's crops of 513, samples return
        exactly to where they were taken.
    """
    sampled = masks[:, ::stride, ::stride]  # (N, h, w)
    scores = F.one_hot(sampled, num_classes).permute(0, 3, 1, 2).float()  # (N, C, h, w)
    scores = F.interpolate(scores, size=masks.shape[1:], mode="bilinear", align_corners=True)
    return scores.argmax(1)
