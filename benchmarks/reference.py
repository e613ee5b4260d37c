"""torchvision's DeepLabv3 with a ResNet-50, and ours with the same weights."""

import torch
from torch import nn
from torchvision.models import resnet50
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation import deeplabv3_resnet50
from torchvision.models.segmentation.deeplabv3 import DeepLabHead
from torchvision.models.segmentation.deeplabv3 import DeepLabV3 as TorchvisionDeepLabV3

from dlv3 import DeepLabV3, weights

CLASSES = 21


def torchvision_model(output_stride: int, seed: int = 0) -> nn.Module:
    """Return torchvision's model as a user gets it, with weights and batch normalization's statistics from a seed.

    Args:
        output_stride: 8 is torchvision's own. At 16 its third layer strides, and ASPP has the paper's rates for it.
        seed: of the weights and of batch normalization's statistics.

    Returns:
        The model in evaluation mode: float32, contiguous.

    Raises:
        ValueError: another output stride.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if output_stride == 8:
            model: nn.Module = deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=CLASSES)
        elif output_stride == 16:
            backbone = resnet50(weights=None, replace_stride_with_dilation=[False, False, True])
            layers = IntermediateLayerGetter(backbone, return_layers={"layer4": "out"})
            model = TorchvisionDeepLabV3(layers, DeepLabHead(2048, CLASSES, atrous_rates=(6, 12, 18)))
        else:
            raise ValueError(f"output_stride={output_stride}: expected 8 or 16")
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                _randomise(module)
    return model.eval()


@torch.no_grad()
def _randomise(bn: nn.BatchNorm2d) -> None:
    """Draw statistics and parameters that scale and shift: those of a new model would change nothing."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    bn.running_mean.normal_(0, 0.1)
    bn.running_var.uniform_(0.5, 1.5)
    bn.weight.uniform_(0.3, 0.6)
    bn.bias.normal_(0, 0.1)


def our_model(theirs: nn.Module, output_stride: int) -> DeepLabV3:
    """Return a `DeepLabV3` with the same weights, at the same output stride."""
    model = weights.from_torchvision(theirs.state_dict())
    model.set_output_stride(output_stride)
    return model
