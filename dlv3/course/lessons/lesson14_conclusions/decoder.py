"""DeepLabv3+'s decoder (Chen, Zhu, Papandreou, Schroff, Adam, 2018), the step after this paper.

ASPP's answer knows what is there and has forgotten where; an early map of the backbone knows where and not what.
The decoder stretches the first over the second, concatenates them and lets two 3×3 layers draw the outlines.
"""

import torch
from torch import Tensor, nn

from dlv3.aspp import conv_bn_relu
from dlv3.deeplab import upsample


class Decoder(nn.Module):
    """Module that turns ASPP's answer and an early map into logits of the early map's size.

    The early map is reduced to a few channels first, so that it does not outweigh ASPP's answer.

    Args:
        low_channels: channels of the early map.
        high_channels: channels of ASPP's answer.
        num_classes: channels of the logits.
        reduced: channels that the early map is reduced to; 48 in the paper.
        channels: filters of the two 3×3 layers; 256 in the paper, whose best model makes them depthwise separable.
    """

    def __init__(
        self, low_channels: int, high_channels: int, num_classes: int, reduced: int = 48, channels: int = 256
    ) -> None:
        super().__init__()
        self.reduce = conv_bn_relu(low_channels, reduced, 1)
        self.refine = nn.Sequential(
            conv_bn_relu(high_channels + reduced, channels, 3), conv_bn_relu(channels, channels, 3)
        )
        self.classifier = nn.Conv2d(channels, num_classes, 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Turn (N, low_channels, h, w) and (N, high_channels, h', w') into (N, num_classes, h, w)."""
        height, width = low.shape[2:]
        stretched = upsample(high, (height, width))  # (N, high_channels, h, w)
        logits: Tensor = self.classifier(self.refine(torch.cat([stretched, self.reduce(low)], dim=1)))
        return logits
