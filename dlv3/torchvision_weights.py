"""torchvision's DeepLabV3 as ours, and back: one set of weights, the same logits."""

import os
from dataclasses import replace

from torch import Tensor, nn

from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.skeleton import built_with, config_in_force
from dlv3.state_dicts import WeightsError, read, unwrapped

# The number of units in torchvision's layer3 tells its depth.
_BACKBONE_BY_UNITS = {6: "resnet50", 23: "resnet101"}
_AUX = "aux_classifier."


def from_torchvision(
    state_dict: dict[str, Tensor] | nn.Module | str | os.PathLike[str], *, keep_aux: bool = False
) -> DeepLabV3:
    """Build our model from torchvision's DeepLabV3 (ResNet-50 or -101): the same logits from the same weights.

    torchvision's model has output stride 8 with ASPP rates (12, 24, 36), which are the paper's (6, 12, 18) doubled. It
    has no multi-grid, keeps the previous rate in each block's first unit, and adds a 3×3 convolution.

    Args:
        state_dict: of `torchvision.models.segmentation.deeplabv3_resnet50` or `_resnet101`; also the model itself, or
            the path of a file with its state dict.
        keep_aux: whether to keep the auxiliary classifier.

    Returns:
        The model in evaluation mode; it runs faster after `set_output_stride(16)`.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the tensors are not of such a model, or `keep_aux` without an auxiliary classifier.
    """
    source = "state_dict"
    if isinstance(state_dict, str | os.PathLike):
        source = str(state_dict)
        tensors = read(state_dict)
    else:
        given = state_dict.state_dict() if isinstance(state_dict, nn.Module) else state_dict
        tensors = unwrapped(given, source)
    config = torchvision_config(tensors, keep_aux=keep_aux)
    if config is None:
        raise WeightsError(f"{source}: not of torchvision's deeplabv3_resnet50 or deeplabv3_resnet101")
    if keep_aux and not has_aux(tensors):
        raise WeightsError(
            f"keep_aux=True: the {source} has no auxiliary classifier (torchvision's aux_loss=True)"
        )
    return built_with(config, tensors if keep_aux else without_aux(tensors), source)


def torchvision_config(tensors: dict[str, Tensor], *, keep_aux: bool = False) -> DeepLabV3Config | None:
    """Return the configuration of torchvision's DeepLabV3 with these tensors, or None if they are of another model.

    Raises:
        WeightsError: they are of such a model with a single class.
    """
    units = {name.split(".")[2] for name in tensors if name.startswith("backbone.layer3.")}
    head = tensors.get("classifier.4.weight")
    if len(units) not in _BACKBONE_BY_UNITS or head is None or head.ndim != 4:
        return None
    try:
        return torchvision_config_of(_BACKBONE_BY_UNITS[len(units)], len(head), aux=keep_aux)
    except ValueError as error:
        raise WeightsError(f"state_dict: {error}") from error


def torchvision_config_of(backbone: str, num_classes: int = 21, *, aux: bool = False) -> DeepLabV3Config:
    """Return the configuration of torchvision's DeepLabV3 with a backbone: "resnet50" or "resnet101"."""
    return DeepLabV3Config(
        backbone=backbone,
        num_classes=num_classes,
        output_stride=8,
        multi_grid=(1, 1, 1),
        first_unit="previous",
        dropout=0.5,
        extra_conv=True,
        aux=aux,
    )


def has_aux(tensors: dict[str, Tensor]) -> bool:
    """Tell whether a state dict has an auxiliary classifier."""
    return any(name.startswith(_AUX) for name in tensors)


def without_aux(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without its auxiliary classifier."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(_AUX)}


def to_torchvision(model: DeepLabV3) -> dict[str, Tensor]:
    """Return a state dict with which torchvision's `deeplabv3_resnet50` or `_resnet101` computes the same logits.

    Raises:
        WeightsError: torchvision does not have this model.
    """
    config = config_in_force(model)
    theirs = torchvision_config_of(config.backbone, config.num_classes, aux=config.aux)
    if replace(config, output_stride=8, dropout=theirs.dropout) != theirs:
        raise WeightsError(
            "model: torchvision's DeepLabV3 has multi_grid=(1, 1, 1), blocks=4, aspp_rates=(6, 12, 18), "
            f"aspp_channels=256, image_pooling, first_unit='previous' and extra_conv; this one is {config}"
        )
    if config.backbone not in _BACKBONE_BY_UNITS.values():
        allowed = " or ".join(map(repr, _BACKBONE_BY_UNITS.values()))
        raise WeightsError(
            f"backbone={config.backbone!r}: torchvision has no DeepLabV3 with it, only {allowed}"
        )
    return model.state_dict()
