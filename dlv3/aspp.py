"""Atrous spatial pyramid pooling with image-level features (section 3.3, Fig. 5).

Parallel branches read the same feature map: a 1×1 convolution, 3×3 atrous convolutions at several rates, and global
average pooling. The larger a branch's rate, the fewer of its nine weights meet the map (Fig. 4, see
`dlv3.atrous.valid_weight_shares`), until only the centre weight is left. Such a branch no longer sees far, so the
pooling branch carries the whole image's context to every position.
"""

import torch
from torch import Tensor, nn

from dlv3.atrous import AtrousConv2d


def conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int, rate: int = 1) -> nn.Sequential:
    """Build a convolution with batch normalization and ReLU, the parts of every branch of ASPP."""
    return nn.Sequential(
        AtrousConv2d(in_channels, out_channels, kernel_size, rate=rate),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class ImagePooling(nn.Sequential):
    """Image-level features (section 3.3, after ParseNet): one vector for the image, repeated at every position."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w), the same values at each position.

        Raises:
            ValueError: a training batch of 1, from which batch normalization cannot learn.
        """
        bn = self[2]
        if bn.training and type(bn) is nn.BatchNorm2d:
            _require_batch_of_two(features)
        h, w = features.shape[2:]
        pooled = features
        for layer in self:
            pooled = layer(pooled)  # at the end (N, channels, 1, 1)
        # From one sample, bilinear upsampling is the same as repeating it.
        return pooled.expand(-1, -1, h, w)


# torch.fx keeps the check as one step of its graph.
@torch.fx.wrap
def _require_batch_of_two(features: Tensor) -> None:
    if features.shape[0] == 1:
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
        image_pooling: whether to build the image-level branch.
        dropout: share of the projection's outputs that training sets to 0 (not stated in the paper).
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
        """The 3×3 convolutions, in order: one in each branch that has a rate."""
        return [m for m in self.convs.modules() if isinstance(m, AtrousConv2d) and m.kernel_size == (3, 3)]

    @property
    def rates(self) -> tuple[int, ...]:
        return tuple(conv.rate for conv in self.atrous_convs)

    def set_rates(self, rates: tuple[int, ...]) -> None:
        """Change the rates of the 3×3 branches in place. The weights stay as they are.

        Raises:
            ValueError: the number of rates is not that of the branches.
        """
        if len(rates) != len(self.atrous_convs):
            raise ValueError(
                f"rates={rates!r}: expected {len(self.atrous_convs)} rates, this ASPP has "
                f"{len(self.atrous_convs)} atrous branches"
            )
        for conv, rate in zip(self.atrous_convs, rates, strict=True):
            conv.set_rate(rate)

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w)."""
        branches = [branch(features) for branch in self.convs]  # each (N, channels, h, w)
        projected: Tensor = self.project(torch.cat(branches, dim=1))
        return projected
