"""Weights in and out: ours as safetensors with the configuration inside, torchvision's checkpoints both ways."""

import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_safetensors
from torch import Tensor

from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.files import write_atomically

CONFIG_KEY = "dlv3.config"
# torchvision's depth, told from the number of units in its layer3.
_BACKBONE_BY_UNITS = {6: "resnet50", 23: "resnet101"}


class WeightsError(ValueError):
    """A weights file that cannot be used: says which, why, and what to do."""


def save(model: DeepLabV3, path: str | os.PathLike, metadata: dict[str, str] | None = None) -> None:
    """Write a model's weights and configuration as one safetensors file, aside first and then moved into place.

    Args:
        model: its configuration is kept as built, its weights as they are.
        path: the file to write; an existing one is replaced.
        metadata: further text to keep inside, by name.

    Raises:
        TypeError: a model made for inference, whose weights are not the original's any more.
        OSError: the file cannot be written.
    """
    if not isinstance(model, DeepLabV3):
        raise TypeError(
            f"model: expected a DeepLabV3, got {type(model).__name__}; of one made by for_inference, save the "
            "DeepLabV3 that it was made from"
        )
    path = Path(path)
    # Copies, because safetensors refuses tensors that share memory or are not laid out in order.
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in model.state_dict().items()}
    save_tensors(tensors, path, {CONFIG_KEY: json.dumps(asdict(model.config)), **(metadata or {})})


def save_tensors(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
    """Write tensors and text as safetensors, aside first and then moved into place.

    Raises:
        OSError: the file cannot be written; what was there before still is.
    """
    write_atomically(path, to_safetensors(tensors, metadata))


def load(path: str | os.PathLike) -> DeepLabV3:
    """Build the model that `save` wrote, in evaluation mode on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is truncated, is no safetensors, or holds no DeepLabV3.
    """
    tensors, metadata = load_tensors(path)
    if CONFIG_KEY not in metadata:
        raise WeightsError(
            f"{path}: has no configuration inside; dlv3.weights.save writes such files. For a bare state dict, build "
            "the model and call load_state_dict; for torchvision's, use dlv3.weights.from_torchvision"
        )
    try:
        model = DeepLabV3(DeepLabV3Config.from_dict(json.loads(metadata[CONFIG_KEY])))
    except ValueError as error:
        raise WeightsError(f"{path}: its configuration cannot be used: {error}") from error
    load_state_dict(model, tensors, str(path))
    return model.eval()


def load_tensors(path: str | os.PathLike) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A safetensors file's tensors and its text.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is truncated or no safetensors.
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


def load_pickle(path: str | os.PathLike) -> dict:
    """Read a checkpoint that torch.save wrote, tensors and plain values only: a pickle can carry code to run.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is truncated, no checkpoint, or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, because it holds more than tensors and plain values, and such a file can run code when "
            "it is read. Ask its author for a state dict, or for safetensors"
        ) from error
    except Exception as error:  # bytes that are no pickle can fail in any way
        raise WeightsError(
            f"{path}: cannot be read as a checkpoint; it is truncated or of another format"
        ) from error


def load_state_dict(
    model: torch.nn.Module, state_dict: dict[str, Tensor], source: str = "state_dict"
) -> None:
    """`model.load_state_dict` with an error that says in one line what does not fit.

    Raises:
        WeightsError: names the first missing, unexpected or misshapen tensor, and how many there are.
    """
    own = model.state_dict()
    problems = [f"{name} is missing" for name in own if name not in state_dict]
    problems += [f"{name} is not in this model" for name in state_dict if name not in own]
    problems += [
        f"{name} is {tuple(state_dict[name].shape)}, here {tuple(own[name].shape)}"
        for name in own
        if name in state_dict and state_dict[name].shape != own[name].shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WeightsError(
            f"{source}: of another architecture: {problems[0]}{more}; build the model it was saved from"
        )
    model.load_state_dict(state_dict)


def from_torchvision(state_dict: dict[str, Tensor], *, keep_aux: bool = False) -> DeepLabV3:
    """torchvision's DeepLabV3 (ResNet-50 or -101) as ours: the same logits from the same weights.

    torchvision's model is at output stride 8 with ASPP rates (12, 24, 36), which are the paper's (6, 12, 18)
    doubled, has no multi-grid, keeps the previous rate in each block's first unit, and adds a 3×3 convolution.

    Args:
        state_dict: from `torchvision.models.segmentation.deeplabv3_resnet50` or `_resnet101`.
        keep_aux: whether the auxiliary classifier comes along, where there is one.

    Returns:
        The model in evaluation mode; `set_output_stride(16)` runs it faster.

    Raises:
        WeightsError: the tensors are not of such a model.
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
    """A state dict that torchvision's `deeplabv3_resnet50` or `_resnet101` loads and computes the same logits with.

    Raises:
        WeightsError: torchvision has no such model.
    """
    wanted = dict(backbone=model.config.backbone, num_classes=model.config.num_classes, aux=model.config.aux)
    wanted |= dict(multi_grid=(1, 1, 1), first_unit="previous", extra_conv=True, dropout=model.config.dropout)
    if replace(model.config, output_stride=8) != DeepLabV3Config(output_stride=8, **wanted):
        raise WeightsError(
            "model: torchvision's DeepLabV3 has multi_grid=(1, 1, 1), blocks=4, aspp_rates=(6, 12, 18), "
            f"aspp_channels=256, image_pooling, first_unit='previous' and extra_conv; this one is {model.config}"
        )
    if model.config.backbone not in _BACKBONE_BY_UNITS.values():
        raise WeightsError(f"backbone={model.config.backbone!r}: torchvision has none of that name")
    return model.state_dict()


def load_backbone(model: DeepLabV3, state_dict: dict[str, Tensor], *, replicate: bool = True) -> None:
    """Start a model's backbone from pretrained weights: torchvision's ImageNet ResNets, or our own small one.

    Args:
        model: its backbone is filled in place; classifiers stay as they are.
        state_dict: of a classification ResNet; the last layer (`fc`) is left out.
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
