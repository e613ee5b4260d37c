"""The loss (§4.1, "Upsampling logits"): cross-entropy over the labelled pixels of the whole batch."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlv3.deeplab import DeepLabV3
from dlv3.training.cross_entropy import summed_cross_entropy

IGNORE_INDEX = 255


def labelled_pixels(labels: Tensor) -> Tensor:
    """Count the pixels with a label, as a tensor on the labels' device: nothing waits for a GPU."""
    return (labels != IGNORE_INDEX).sum()


def masked_cross_entropy(
    logits: Tensor, labels: Tensor, normaliser: Tensor, class_weights: Tensor | None = None
) -> Tensor:
    """Divide the sum of the labelled pixels' cross-entropy by `normaliser`.

    Args:
        logits: (N, C, H, W), before the softmax.
        labels: (N, H, W) int64 class indices, 255 where there is no label.
        normaliser: number of labelled pixels in the whole batch, which may be spread over several parts or
            processes; with class weights, the sum of their weights. A batch without any has a loss of zero, not 0 / 0.
        class_weights: (C,) float32, or None where all classes count the same.

    Returns:
        A scalar.
    """
    total = summed_cross_entropy(logits.float(), labels, IGNORE_INDEX, class_weights)
    return total / torch.where(normaliser > 0, normaliser, 1)


def downsample(labels: Tensor, output_stride: int) -> Tensor:
    """Take the labels at the positions of the feature map: every `output_stride`-th pixel, from the first.

    The network's convolutions are centred there. (N, H, W) to (N, ceil(H / os), ceil(W / os)).
    """
    return labels[:, ::output_stride, ::output_stride]


class LossModule(nn.Module):
    """Compute the loss from images and labels, in one module that is compiled and distributed as a whole.

    Args:
        model: is shared, not copied.
        downsample_labels: compare the coarse logits with downsampled labels, which Table 8 advises against.
        auxiliary_weight: of the auxiliary classifier's loss, where the model has one.
        class_weights: of each class; empty where all count the same.
        autocast: the type to compute the network in; None is the weights' own.
    """

    def __init__(
        self,
        model: DeepLabV3,
        *,
        downsample_labels: bool = False,
        auxiliary_weight: float = 0.5,
        class_weights: Sequence[float] = (),
        autocast: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.downsample_labels = downsample_labels
        self.auxiliary_weight = auxiliary_weight
        self.autocast = autocast
        device = next(model.parameters()).device
        weights = torch.tensor(class_weights, dtype=torch.float32, device=device) if class_weights else None
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", weights, persistent=False)  # (C,)

    def normaliser(self, targets: Tensor) -> Tensor:
        """Return what the loss of these targets is divided by: their labelled pixels, or the sum of their weights."""
        if self.class_weights is None:
            return labelled_pixels(targets)
        labelled = targets != IGNORE_INDEX
        return (self.class_weights[torch.where(labelled, targets, 0)] * labelled).sum()

    def targets(self, labels: Tensor) -> Tensor:
        """Return what the logits are compared with: the labels (N, H, W), or every `output_stride`-th of them."""
        return downsample(labels, self.model.output_stride) if self.downsample_labels else labels

    def forward(self, images: Tensor, targets: Tensor, normaliser: Tensor) -> Tensor:
        """Compute the share of the batch's loss that these images have.

        Args:
            images: (N, 3, H, W), normalised.
            targets: the labels (N, H, W) as `targets` returns them.
            normaliser: as `normaliser` returns it, for the targets of the whole batch.

        Returns:
            A scalar.
        """
        auxiliary = None
        with torch.autocast(images.device.type, self.autocast, enabled=self.autocast is not None):
            if self.downsample_labels:
                logits = self.model.coarse_logits(images)  # (N, C, H/os, W/os)
            elif self.model.config.aux:
                logits, auxiliary = self.model.forward_with_auxiliary(images)
            else:
                logits = self.model(images)  # (N, C, H, W)
        loss = masked_cross_entropy(logits, targets, normaliser, self.class_weights)
        if auxiliary is not None:
            extra = masked_cross_entropy(auxiliary, targets, normaliser, self.class_weights)
            loss = loss + self.auxiliary_weight * extra
        return loss
