"""Save and load weights: our own as safetensors with the configuration inside, torchvision's in both directions."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import save as to_safetensors
from torch import Tensor

from dlv3.checksum import CHECKSUM_KEY, checksum
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.files import write_atomically
from dlv3.skeleton import built_with, config_in_force
from dlv3.state_dicts import (
    WeightsError,
    compare,
    load_pickle,
    load_state_dict,
    load_tensors,
    read,
    read_metadata,
    unwrapped,
)
from dlv3.torchvision_weights import (
    from_torchvision,
    has_aux,
    to_torchvision,
    torchvision_config,
    torchvision_config_of,
    without_aux,
)

__all__ = [
    "CONFIG_KEY",
    "WeightsError",
    "adapt_input",
    "backbone_tensors",
    "compare",
    "from_torchvision",
    "has_aux",
    "load",
    "load_backbone",
    "load_pickle",
    "load_state_dict",
    "load_tensors",
    "read",
    "read_config",
    "save",
    "save_tensors",
    "to_torchvision",
    "torchvision_config",
    "torchvision_config_of",
    "unwrapped",
    "with_channels",
    "without_aux",
]

CONFIG_KEY = "dlv3.config"


def save(model: DeepLabV3, path: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Write a model's weights and configuration into one safetensors file, first aside and then moved into place.

    Args:
        model: the model; the file keeps its configuration, with the output stride and the rates that it has now.
        path: the file to write; an existing one is replaced.
        metadata: further text to keep in the file, by name.

    Raises:
        TypeError: not a DeepLabV3, or one made by `for_inference`, whose weights are no longer the original's.
        WeightsError: the model was changed so that its configuration no longer describes it: `load` would refuse it.
        ValueError: metadata under a name that dlv3 itself uses.
        OSError: the file cannot be written.
    """
    if not isinstance(model, DeepLabV3):
        raise TypeError(
            f"model: expected a DeepLabV3, got {type(model).__name__}; instead of a copy made by for_inference, save "
            "the DeepLabV3 that it was made from"
        )
    own = [name for name in (CONFIG_KEY, CHECKSUM_KEY) if name in (metadata or {})]
    if own:
        raise ValueError(f"metadata: {own[0]!r} is a name that dlv3 itself uses; give another")
    config = config_in_force(model)
    # safetensors refuses tensors that share memory or are not contiguous, so these are copies.
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in model.state_dict().items()}
    save_tensors(tensors, Path(path), {CONFIG_KEY: json.dumps(asdict(config)), **(metadata or {})})


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write tensors and text, with a checksum of both, as safetensors, first aside and then moved into place.

    Raises:
        OSError: the file cannot be written; an earlier file stays as it was.
    """
    metadata = metadata | {CHECKSUM_KEY: checksum(tensors, metadata)}
    write_atomically(path, to_safetensors(tensors, metadata))


def load(path: str | os.PathLike[str]) -> DeepLabV3:
    """Build the model that `save` wrote, in evaluation mode on the CPU.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated, damaged, not safetensors, or does not hold a DeepLabV3.
    """
    tensors, metadata = load_tensors(path)
    if CONFIG_KEY not in metadata:
        raise WeightsError(
            f"{path}: has no configuration inside; expected a file that dlv3.weights.save wrote. For a bare state "
            "dict, build the model and call load_state_dict; for torchvision's, use dlv3.weights.from_torchvision"
        )
    return built_with(_parsed(metadata[CONFIG_KEY], path), tensors, str(path))


def read_config(path: str | os.PathLike[str]) -> DeepLabV3Config | None:
    """Return the configuration in a file that `save` wrote, or None if there is none; the tensors are not read.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated or not safetensors, or the configuration is not one.
    """
    text = read_metadata(path).get(CONFIG_KEY)
    return None if text is None else _parsed(text, path)


def _parsed(text: str, path: str | os.PathLike[str]) -> DeepLabV3Config:
    try:
        return DeepLabV3Config.from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its configuration cannot be used: {error}") from error


def load_backbone(
    model: DeepLabV3, state_dict: dict[str, Tensor], *, replicate: bool = True, source: str = "backbone"
) -> None:
    """Fill a model's backbone with pretrained weights: of torchvision's ImageNet ResNets, or of our own small one.

    Args:
        model: the model; its classifiers stay as they are.
        state_dict: of a classification ResNet, whose last layer (`fc`) is not used, or of a DeepLabV3, of which only
            the backbone is. For images with other channels the first convolution is adapted, see `with_channels`.
        replicate: whether cascaded blocks start as copies of block4, each first unit as a copy of block4's second
            (block4's first has other channels). The paper does not state it; False leaves them as they are.
        source: the name of the weights in messages, such as a file.

    Raises:
        WeightsError: the weights are of another backbone.
    """
    load_state_dict(model.backbone, backbone_tensors(model, state_dict, source, replicate=replicate), source)


def backbone_tensors(
    model: DeepLabV3, state_dict: dict[str, Tensor], source: str, *, replicate: bool = True
) -> dict[str, Tensor]:
    """Return the tensors with which `load_backbone` fills a model's backbone, before they are compared with it."""
    state_dict = unwrapped(state_dict, source)
    if any(name.startswith("backbone.") for name in state_dict):
        state_dict = {
            name.removeprefix("backbone."): t
            for name, t in state_dict.items()
            if name.startswith("backbone.")
        }
    state_dict = {name: t for name, t in state_dict.items() if not name.startswith("fc.")}
    adapt_input(state_dict, "conv1.weight", model.config.in_channels)
    own = model.backbone.state_dict()
    for name in own:
        layer, _, rest = name.partition(".")
        if layer in ("layer5", "layer6", "layer7"):
            unit, _, tensor = rest.partition(".")
            source = f"layer4.{max(int(unit), 1)}.{tensor}"
            state_dict[name] = state_dict.get(source, own[name]) if replicate else own[name]
    return state_dict


def adapt_input(state_dict: dict[str, Tensor], name: str, channels: int) -> None:
    """Adapt the first convolution in a state dict, in place, where it is for images with other channels."""
    weight = state_dict.get(name)
    if weight is not None and weight.ndim == 4 and 0 < weight.shape[1] != channels:
        state_dict[name] = with_channels(weight, channels)


def with_channels(weight: Tensor, channels: int) -> Tensor:
    """Make a first convolution for images with another number of channels.

    For one channel the filters of red, green and blue are summed: a grey image gives what it gave with its channel
    three times. For more, the filters are repeated in order (red, green, blue, red, …) and scaled by 3 / channels, so
    that responses keep their size.

    Args:
        weight: (C_out, 3, k, k).
        channels: of the images, at least 1.

    Returns:
        (C_out, channels, k, k).
    """
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    known = weight.shape[1]
    order = torch.arange(channels) % known
    return weight[:, order] * (known / channels)
