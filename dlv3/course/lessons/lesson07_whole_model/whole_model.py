"""DeepLabv3's parts in their shortest form: what lessons 03 and 06 ended with, and what lesson 07 builds.

Names of parameters are torchvision's, so these parts load its weights and the library's. Strides and rates are
fixed when a part is built; `dlv3.resnet` and `dlv3.aspp` can change them in place.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn_relu(in_channels: int, out_channels: int, kernel_size: int, rate: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the map's size, batch normalization and ReLU."""
    padding = (kernel_size - 1) // 2 * rate
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=rate, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels), nn.ReLU())


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 and a shortcut: (N, in_channels, H, W) to (N, 4 * width, ceil(H/stride), ceil(W/stride))."""

    expansion = 4
    downsample: nn.Sequential | None

    def __init__(self, in_channels: int, width: int, stride: int = 1, rate: int = 1) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.stride, self.downsample = stride, None
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=rate, dilation=rate, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out_channels)
        if in_channels != out_channels:
            projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.BatchNorm2d(out_channels))

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        step = self.stride
        shortcut = self.downsample(x) if self.downsample else x[:, :, ::step, ::step]
        return F.relu(out + shortcut)


def strides_of(units: list[int], first_unit: str) -> list[list[int]]:
    """Return the strides of every unit without atrous convolution; `first_unit` is "stage" or "previous"."""
    strides = [[1] * count for count in units]
    for block in range(1, len(units)):
        if first_unit == "previous":
            strides[block][0] = 2
        else:
            strides[block - 1][-1] = 2
    return strides


def plan(
    strides: list[list[int]], output_stride: int, multi_grid: tuple[int, ...]
) -> list[list[tuple[int, int]]]:
    """Return (stride, rate) of every unit, block by block, from the units' strides without atrous convolution."""
    reached, rate, rows = 4, 1, list[list[tuple[int, int]]]()
    for block, row in enumerate(strides, 1):
        rows.append([])
        for unit, stride in enumerate(row):
            lost = reached * stride > output_stride
            grid = multi_grid[unit] if block >= 4 else 1
            rows[-1].append((1 if lost else stride, rate * grid))
            if lost:
                rate *= stride
            else:
                reached *= stride
    return rows


class ASPP(nn.Module):
    """A 1×1, atrous 3×3 at each rate and image pooling, projected: (N, in_channels, h, w) to (N, channels, h, w)."""

    def __init__(self, in_channels: int, channels: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        branches = [conv_bn_relu(in_channels, channels, 1)]
        branches += [conv_bn_relu(in_channels, channels, 3, rate) for rate in rates]
        branches.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), *conv_bn_relu(in_channels, channels, 1)))
        self.convs = nn.ModuleList(branches)
        self.project = nn.Sequential(*conv_bn_relu(len(branches) * channels, channels, 1), nn.Dropout(0.1))

    def forward(self, features: Tensor) -> Tensor:
        maps = [branch(features) for branch in self.convs]
        projected: Tensor = self.project(torch.cat([*maps[:-1], maps[-1].expand_as(maps[0])], dim=1))
        return projected


class DeepLab(nn.Module):
    """Backbone, ASPP, classifier, upsampling: (N, 3, H, W) to (N, num_classes, H, W)."""

    def __init__(self, backbone: nn.Module, aspp: nn.Module, channels: int, num_classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.classifier = nn.Sequential(aspp, nn.Conv2d(channels, num_classes, 1))

    def forward(self, images: Tensor) -> Tensor:
        logits = self.classifier(self.backbone(images))
        return F.interpolate(logits, size=images.shape[2:], mode="bilinear", align_corners=False)
