"""Save and load weights: our own as safetensors with the configuration inside, torchvision's in both directions."""

import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.files import write_atomically

CONFIG_KEY = "dlv3.config"
# The number of units in torchvision's layer3 tells its depth.
_BACKBONE_BY_UNITS = {6: "resnet50", 23: "resnet101"}


class WeightsError(ValueError):
    """Weights that cannot be used. The message names the file, the reason and what to do."""


def save(model: DeepLabV3, path: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Write a model's weights and configuration into one safetensors file, first aside and then moved into place.

    Args:
        model: the model; the file keeps the configuration that it was built with.
        path: the file to write; an existing one is replaced.
        metadata: further text to keep in the file, by name.

    Raises:
        TypeError: not a DeepLabV3, or one made by `for_inference`, whose weights are no longer the original's.
        OSError: the file cannot be written.
    """
    if not isinstance(model, DeepLabV3):
        raise TypeError(
            f"model: expected a DeepLabV3, got {type(model).__name__}; instead of a copy made by for_inference, save "
            "the DeepLabV3 that it was made from"
        )
    path = Path(path)
    # safetensors refuses tensors that share memory or are not contiguous, so these are copies.
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in model.state_dict().items()}
    save_tensors(tensors, path, {CONFIG_KEY: json.dumps(asdict(model.config)), **(metadata or {})})


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write tensors and text as safetensors, first aside and then moved into place.

    Raises:
        OSError: the file cannot be written; an earlier file stays as it was.
    """
    write_atomically(path, to_safetensors(tensors, metadata))


def load(path: str | os.PathLike[str]) -> DeepLabV3:
    """Build the model that `save` wrote, in evaluation mode on the CPU.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated, not safetensors, or does not hold a DeepLabV3.
    """
    tensors, metadata = load_tensors(path)
    if CONFIG_KEY not in metadata:
        raise WeightsError(
            f"{path}: has no configuration inside; expected a file that dlv3.weights.save wrote. For a bare state "
            "dict, build the model and call load_state_dict; for torchvision's, use dlv3.weights.from_torchvision"
        )
    try:
        model = DeepLabV3(DeepLabV3Config.from_dict(json.loads(metadata[CONFIG_KEY])))
    except ValueError as error:
        raise WeightsError(f"{path}: its configuration cannot be used: {error}") from error
    load_state_dict(model, tensors, str(path))
    return model.eval()


def load_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file's tensors and its text.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated or not safetensors.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(
            f"{path}: cannot be read as safetensors ({error}); it is truncated or of another format"
        ) from error


def load_pickle(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint that torch.save wrote, with tensors and plain values only: a pickle can hold code to run.

    Raises:
        FileNotFoundError: the file does not exist.
        WeightsError: the file is truncated, not a checkpoint, or holds more than tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, because it holds more than tensors and plain values, and reading such a file can run "
            "code. Ask its author for a state dict or for safetensors"
        ) from error
    # Bytes that are not a pickle can raise any error.
    except Exception as error:
        raise WeightsError(
            f"{path}: cannot be read as a checkpoint; it is truncated or of another format"
        ) from error
    return checkpoint


def load_state_dict(
    model: torch.nn.Module, state_dict: dict[str, Tensor], source: str = "state_dict"
) -> None:
    """Load a state dict; an error says in one line which tensor does not fit.

    Args:
        model: the model to fill in place.
        state_dict: a tensor for each of the model's names.
        source: the name of the weights in the message, such as a file.

    Raises:
        WeightsError: it names the first missing, unexpected or misshapen tensor, and the number of the others.
    """
    own = model.state_dict()
    problems = [f"{name} is missing" for name in own if name not in state_dict]
    problems += [f"{name} is not in this model" for name in state_dict if name not in own]
    problems += [
        f"{name} is {tuple(state_dict[name].shape)}, in this model {tuple(own[name].shape)}"
        for name in own
        if name in state_dict and state_dict[name].shape != own[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WeightsError(
            f"{source}: of another architecture: {problems[0]}{more}; build the model that the weights were saved from"
        )
    model.load_state_dict(state_dict)


def from_torchvision(state_dict: dict[str, Tensor], *, keep_aux: bool = False) -> DeepLabV3:
    """Build our model from torchvision's DeepLabV3 (ResNet-50 or -101): the same logits from the same weights.

    torchvision's model has output stride 8 with ASPP rates (12, 24, 36), which are the paper's (6, 12, 18) doubled. It
    has no multi-grid, keeps the previous rate in each block's first unit, and adds a 3×3 convolution.

    Args:
        state_dict: of `torchvision.models.segmentation.deeplabv3_resnet50` or `_resnet101`.
        keep_aux: whether to keep the auxiliary classifier.

    Returns:
        The model in evaluation mode; it runs faster after `set_output_stride(16)`.

    Raises:
        WeightsError: the tensors are not of such a model, or `keep_aux` without an auxiliary classifier.
    """
    units = {name.split(".")[2] for name in state_dict if name.startswith("backbone.layer3.")}
    if len(units) not in _BACKBONE_BY_UNITS or "classifier.4.weight" not in state_dict:
        raise WeightsError("state_dict: not of torchvision's deeplabv3_resnet50 or deeplabv3_resnet101")
    has_aux = "aux_classifier.0.weight" in state_dict
    if keep_aux and not has_aux:
        raise WeightsError(
            "keep_aux=True: the state_dict has no auxiliary classifier (torchvision's aux_loss=True)"
        )
    config = DeepLabV3Config(
        backbone=_BACKBONE_BY_UNITS[len(units)],
        num_classes=len(state_dict["classifier.4.weight"]),
        output_stride=8,
        multi_grid=(1, 1, 1),
        first_unit="previous",
        dropout=0.5,
        extra_conv=True,
        aux=keep_aux,
    )
    if not keep_aux:
        state_dict = {name: t for name, t in state_dict.items() if not name.startswith("aux_classifier.")}
    model = DeepLabV3(config)
    load_state_dict(model, state_dict)
    return model.eval()


def to_torchvision(model: DeepLabV3) -> dict[str, Tensor]:
    """Return a state dict with which torchvision's `deeplabv3_resnet50` or `_resnet101` computes the same logits.

    Raises:
        WeightsError: torchvision does not have this model.
    """
    config = model.config
    theirs = DeepLabV3Config(
        backbone=config.backbone,
        num_classes=config.num_classes,
        output_stride=8,
        multi_grid=(1, 1, 1),
        first_unit="previous",
        dropout=config.dropout,
        extra_conv=True,
        aux=config.aux,
    )
    if replace(config, output_stride=8) != theirs:
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


def load_backbone(model: DeepLabV3, state_dict: dict[str, Tensor], *, replicate: bool = True) -> None:
    """Fill a model's backbone with pretrained weights: of torchvision's ImageNet ResNets, or of our own small one.

    Args:
        model: the model; its classifiers stay as they are.
        state_dict: of a classification ResNet; its last layer (`fc`) is not used.
        replicate: whether cascaded blocks start as copies of block4, each first unit as a copy of block4's second
            (block4's first has other channels). The paper does not state it; False leaves them as they are.

    Raises:
        WeightsError: the weights are of another backbone.
    """
    state_dict = {name: t for name, t in state_dict.items() if not name.startswith("fc.")}
    own = model.backbone.state_dict()
    for name in own:
        layer, _, rest = name.partition(".")
        if layer in ("layer5", "layer6", "layer7"):
            unit, _, tensor = rest.partition(".")
            source = f"layer4.{max(int(unit), 1)}.{tensor}"
            state_dict[name] = state_dict.get(source, own[name]) if replicate else own[name]
    load_state_dict(model.backbone, state_dict, "backbone")
