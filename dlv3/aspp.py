"""Atrous spatial pyramid pooling with image-level features (section 3.3, Fig. 5).

Parallel branches look at the same feature map: a 1×1 convolution, 3×3 atrous convolutions at several rates, and
global average pooling. The larger a branch's rate, the fewer of its nine weights meet the map (Fig. 4, see
`dlv3.atrous.valid_weight_shares`), until only the centre one is left. A branch that can no longer see far is why
the pooling branch is there: it carries the whole image's context to every position.
"""

import torch
from torch import Tensor, nn

from dlv3.atrous import AtrousConv2d


def conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int, rate: int = 1) -> nn.Sequential:
    """A convolution, batch normalization and ReLU: what every branch of ASPP is made of."""
    return nn.Sequential(
        AtrousConv2d(in_channels, out_channels, kernel_size, rate=rate),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class ImagePooling(nn.Sequential):
    """Image-level features (section 3.3, after ParseNet): one vector for the image, handed to every position."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w), the same value at each position.

        Raises:
            ValueError: batch normalization would have to learn from a single value.
        """
        self._require_more_than_one(features)
        pooled = super().forward(features)  # (N, channels, 1, 1)
        # From one sample, bilinear upsampling is the same as repeating it.
        return pooled.expand(-1, -1, *features.shape[2:])

    def _require_more_than_one(self, features: Tensor) -> None:
        bn = self[2]
        if len(features) == 1 and bn.training and type(bn) is nn.BatchNorm2d:
            raise ValueError(
                "images: a training batch of 1 leaves the batch normalization behind image_pooling one value per "
                "channel, which has no variance. Train with batches of 2 or more (drop a last, shorter batch), "
                "freeze batch normalization with model.freeze_batch_norm(), or set image_pooling=False"
            )


class ASPP(nn.Module):
    """Parallel branches, concatenated and projected (section 3.3, Fig. 5).

    Modules are named and ordered as in torchvision: `convs` holds the 1×1 branch, the atrous ones and the pooling
    branch, `project` the 1×1 convolution over their concatenation.

    Args:
        in_channels: channels of the feature map.
        channels: filters of each branch and of the projection; 256 in the paper.
        rates: of the 3×3 branches, in samples of the feature map; at least one.
        image_pooling: whether the image-level branch is there.
        dropout: share of the projection's outputs set to 0 in training (not stated in the paper).
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        rates: tuple[int, ...],
        *,
        image_pooling: bool = True,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        branches: list[nn.Module] = [conv_bn_relu(in_channels, channels, 1)]
        branches += [conv_bn_relu(in_channels, channels, 3, rate) for rate in rates]
        if image_pooling:
            branches.append(ImagePooling(in_channels, channels))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(
            *conv_bn_relu(len(branches) * channels, channels, 1), nn.Dropout(dropout)
        )

    @property
    def atrous_convs(self) -> list[AtrousConv2d]:
        """The 3×3 convolutions of the branches that have a rate, in order."""
        return [b[0] for b in self.convs if isinstance(b[0], AtrousConv2d) and b[0].kernel_size == (3, 3)]

    @property
    def rates(self) -> tuple[int, ...]:
        return tuple(conv.rate for conv in self.atrous_convs)

    def set_rates(self, rates: tuple[int, ...]) -> None:
        """Give the 3×3 branches other rates, in place. The weights are not touched.

        Raises:
            ValueError: not one rate per branch.
        """
        if len(rates) != len(self.atrous_convs):
            raise ValueError(f"rates={rates!r}: this ASPP has {len(self.atrous_convs)} atrous branches")
        for conv, rate in zip(self.atrous_convs, rates, strict=True):
            conv.set_rate(rate)

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w)."""
        branches = [branch(features) for branch in self.convs]  # each (N, channels, h, w)
        return self.project(torch.cat(branches, dim=1))
