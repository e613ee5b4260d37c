"""dlv3: the whole of *Rethinking Atrous Convolution for Semantic Image Segmentation* as a small library."""

import importlib
from typing import TYPE_CHECKING

from dlv3 import moved

if TYPE_CHECKING:
    from dlv3 import aspp, atrous, deeplab, resnet, weights
    from dlv3.deeplab import DeepLabV3, DeepLabV3Config, deeplabv3_resnet50, deeplabv3_resnet101

__version__ = "0.2.0"
__all__ = [
    "DeepLabV3",
    "DeepLabV3Config",
    "deeplabv3_resnet50",
    "deeplabv3_resnet101",
    "aspp",
    "atrous",
    "deeplab",
    "resnet",
    "weights",
]

# Everything is loaded when it is first used: `dlv3 --help` should not wait for torch.
_FROM_DEEPLAB = ("DeepLabV3", "DeepLabV3Config", "deeplabv3_resnet50", "deeplabv3_resnet101")
_MODULES = (
    "ablations",
    "aspp",
    "atrous",
    "config",
    "data",
    "deeplab",
    "evaluation",
    "fast",
    "receptive_field",
    "resnet",
    "training",
    "weights",
)

moved.install()


def __getattr__(name: str) -> object:
    if name in _FROM_DEEPLAB:
        return getattr(importlib.import_module("dlv3.deeplab"), name)
    if name in _MODULES or f"dlv3.{name}" in moved.MOVED:
        return importlib.import_module(f"dlv3.{name}")
    raise AttributeError(f"module 'dlv3' has no attribute {name!r}")
