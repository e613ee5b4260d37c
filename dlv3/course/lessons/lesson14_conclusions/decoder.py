"""DeepLabv3+'s decoder (Chen, Zhu, Papandreou, Schroff, Adam, 2018), the step after this paper.

ASPP's answer knows what is there and has forgotten where; an early map of the backbone knows where and not what.
The decoder upsamples the first to the size of the second, concatenates them and lets two 3×3 layers draw the outlines.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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
        upsampled = upsample(high, (height, width))  # (N, high_channels, h, w)
        logits: Tensor = self.classifier(self.refine(torch.cat([upsampled, self.reduce(low)], dim=1)))
        return logits


def train_on_frozen(
    module: type[nn.Module],
    low: Tensor,
    high: Tensor,
    masks: Tensor,
    *,
    use_early: bool,
    updates: int = 80,
    batch: int = 6,
) -> nn.Module:
    """Train a small decoder on the maps of a frozen network.

    Args:
        module: a class with the arguments of `Decoder`.
        low: (N, C, h, w), early maps.
        high: (N, C', h', w'), ASPP's answers to the same pictures.
        masks: (N, H, W), their true classes.
        use_early: whether the decoder gets the early maps; otherwise it gets zeros in their place.
        updates: how many.
        batch: pictures in each.
    """
    torch.manual_seed(0)
    net = module(low.shape[1], high.shape[1], 8, reduced=12, channels=32)
    optimizer = torch.optim.Adam(net.parameters())
    generator = torch.Generator().manual_seed(0)
    for i in range(updates):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - i / updates) ** 0.9 * min(1, (i + 1) / 10)
        drawn = torch.randint(len(masks), (batch,), generator=generator)
        logits = upsample(net(low[drawn] * use_early, high[drawn]), (masks.shape[1], masks.shape[2]))
        loss = F.cross_entropy(logits, masks[drawn])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()
