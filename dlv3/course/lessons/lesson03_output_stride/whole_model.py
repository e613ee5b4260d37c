"""A small DeepLabv3 with random weights, to compare its answers at two output strides exactly."""

import torch
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config


def random_model(*, image_pooling: bool, seed: int = 0) -> DeepLabV3:
    """Return a model in evaluation mode and double precision, at output stride 16."""
    torch.manual_seed(seed)
    config = DeepLabV3Config(
        backbone="resnet14",
        num_classes=7,
        aspp_rates=(2, 4, 6),
        aspp_channels=32,
        image_pooling=image_pooling,
    )
    model = DeepLabV3(config).eval().double()
    for module in model.modules():
        # Some of these weights start at 0 and would hide much of the model.
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return model
