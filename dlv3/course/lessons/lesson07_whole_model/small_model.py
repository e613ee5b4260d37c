"""The lessons' small trained DeepLabv3, put together from a learner's backbone and model."""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.lessons.lesson07_whole_model.whole_model import ASPP, conv_bn_relu, plan, strides_of


class SmallUnit(nn.Module):
    """Two 3×3 convolutions of one rate, and a shortcut; the second convolution has the stride."""

    expansion = 1
    downsample: nn.Sequential | None

    def __init__(self, in_channels: int, width: int, stride: int, rate: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, padding=rate, dilation=rate, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=rate, dilation=rate, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.downsample = stride, None
        if in_channels != width:
            projection = nn.Conv2d(in_channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        step = self.stride
        return F.relu(out + (self.downsample(x) if self.downsample else x[:, :, ::step, ::step]))


class MakesBackbone(Protocol):
    """A learner's backbone: it takes the kind of unit, the plan, and the channels."""

    def __call__(
        self,
        unit: type[nn.Module],
        rows: list[list[tuple[int, int]]],
        widths: tuple[int, ...],
        channels: int,
    ) -> nn.Module: ...


class MakesModel(Protocol):
    """A learner's model: it takes its parts."""

    def __call__(
        self, backbone: nn.Module, aspp: nn.Module, channels: int, num_classes: int
    ) -> nn.Module: ...


def assemble(
    backbone: MakesBackbone, model: MakesModel, state: dict[str, Tensor], output_stride: int
) -> nn.Module:
    """Return the small network with its weights, in evaluation mode.

    Args:
        backbone, model: the learner's classes.
        state: the trained weights.
        output_stride: 4, 8, 16 or 32.
    """
    rows = plan(strides_of([1, 1, 1, 3], "stage"), output_stride, (1, 2, 4))
    body = backbone(SmallUnit, rows, (16, 32, 48, 64), channels=16)
    # The light stem: two 3×3 convolutions of stride 2.
    body.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
    pool = conv_bn_relu(16, 16, 3)
    pool[0] = nn.Conv2d(16, 16, 3, stride=2, padding=1, bias=False)
    body.pool = pool
    rates = tuple(rate * 16 // output_stride for rate in (2, 4, 6))
    whole = model(body, ASPP(64, 64, rates), 64, 8)
    whole.load_state_dict(state)
    return whole.eval()


@torch.inference_mode()
def labels_of(model: nn.Module, image: Tensor) -> Tensor:
    """Return the labels (H, W) that a model gives to one image (1, 3, H, W)."""
    logits: Tensor = model(image)
    return logits.argmax(1)[0]
