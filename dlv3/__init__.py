"""dlv3: the whole of *Rethinking Atrous Convolution for Semantic Image Segmentation* as a small library."""

import importlib

from dlv3 import aspp, atrous, deeplab, resnet, weights
from dlv3.deeplab import DeepLabV3, DeepLabV3Config, deeplabv3_resnet50, deeplabv3_resnet101

__version__ = "0.1.0"
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

# Loaded on first use, so that `import dlv3` costs little more than `import torch`.
_LAZY = ("ablations", "data", "evaluation", "presets", "receptive_field", "training")


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return importlib.import_module(f"dlv3.{name}")
    raise AttributeError(f"module 'dlv3' has no attribute {name!r}")
