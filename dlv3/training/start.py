"""The model before the first update: fresh weights, a pretrained backbone, or the weights of another run."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from dlv3 import assets, weights
from dlv3.config.run import RunConfig
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.skeleton import skeleton

SMALL = {"scenes": "resnet14", "objects": "resnet17"}
"""The stand-ins for ImageNet that come with the package, and the backbone that each is for."""
TORCHVISION_WEIGHTS = {
    "deeplabv3_resnet50": "DeepLabV3_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1",
    "deeplabv3_resnet101": "DeepLabV3_ResNet101_Weights.COCO_WITH_VOC_LABELS_V1",
}
"""torchvision's published DeepLabV3, trained on COCO's photos with VOC's 21 classes, by the names of its builders."""


def build_model(config: RunConfig, *, load: bool = True) -> DeepLabV3:
    """Build the model that a run trains, before the first update.

    Args:
        config: the run's; its seed decides the fresh weights.
        load: False where a checkpoint overwrites all weights anyway.

    Returns:
        The model on the CPU, its batch normalization set up as configured.

    Raises:
        ValueError: the weights are of another network, or cannot be downloaded.
        FileNotFoundError: the file does not exist.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.training.seed)
        model = DeepLabV3(config.model)
    training = config.training
    if load and training.initial_weights is not None:
        load_initial(model, training.initial_weights)
    elif load and training.pretrained is not None:
        pretrained = pretrained_backbone(training.pretrained, config.model.backbone)
        weights.load_backbone(model, pretrained, source=_named(training.pretrained))
    model.set_batch_norm_momentum(1 - training.batch_norm_decay)
    if training.freeze_batch_norm:
        model.freeze_batch_norm()
    return model


def require_sources(config: RunConfig) -> None:
    """Check that the files a training starts from exist and hold weights of its network; nothing is downloaded.

    Raises:
        ValueError: they do not, or the source has no weights for this backbone; the option and the file are named.
        FileNotFoundError: the file does not exist.
    """
    training, source = config.training, config.training.pretrained
    if training.initial_weights is not None:
        config_of_initial(training.initial_weights)
    elif source == "imagenet":
        _imagenet_entry(config.model.backbone)
    elif source is not None:
        model = skeleton(config.model)
        tensors = weights.backbone_tensors(
            model, pretrained_backbone(source, config.model.backbone), _named(source)
        )
        weights.compare(model.backbone, tensors, _named(source))


def load_initial(model: DeepLabV3, source: str) -> None:
    """Copy the weights of another network. If the number of classes differs, the layers that give logits stay fresh.

    For images with other channels the first convolution is adapted (`dlv3.weights.with_channels`). An auxiliary
    classifier that only one of the two has is left out, or stays fresh.

    Args:
        model: filled in place.
        source: a run's folder, a .safetensors file, a checkpoint of torch.save, or "deeplabv3_resnet50" or
            "deeplabv3_resnet101": torchvision's weights, which are downloaded.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: the weights cannot be downloaded.
        weights.WeightsError: the weights are of another network.
    """
    name, state = _initial_tensors(source)
    of = config_of_initial(source)
    if of is not None and of.first_unit != model.config.first_unit:
        warnings.warn(
            f"{name}: was trained with first_unit={of.first_unit!r}, and model.first_unit is "
            f"{model.config.first_unit!r}: its features will not be the same; give model.first_unit={of.first_unit}",
            stacklevel=2,
        )
    own = model.state_dict()
    logits = _logit_layers(model)
    head = next(name for name in logits if name.startswith("classifier."))
    if head in state and state[head].shape[:1] != own[head].shape[:1]:
        state |= {name: own[name] for name in logits}
    if model.config.aux and not weights.has_aux(state):
        state |= {name: own[name] for name in own if name.startswith("aux_classifier.")}
    elif not model.config.aux:
        state = weights.without_aux(state)
    weights.adapt_input(state, "backbone.conv1.weight", model.config.in_channels)
    weights.load_state_dict(model, state, name)


def config_of_initial(source: str) -> DeepLabV3Config | None:
    """Return the configuration of the network whose weights a source holds; None where a file does not tell.

    Args:
        source: see `load_initial`. Nothing is downloaded.

    Raises:
        FileNotFoundError: the file does not exist.
        weights.WeightsError: the file cannot be used.
    """
    if source in TORCHVISION_WEIGHTS:
        return weights.torchvision_config_of(source.removeprefix("deeplabv3_"))
    path = _initial_path(source)
    if path.suffix == ".safetensors":
        config = weights.read_config(path)
        if config is not None:
            return config
    return weights.torchvision_config(weights.read(path))


def _initial_tensors(source: str) -> tuple[str, dict[str, Tensor]]:
    """Return the weights' name for messages, and the weights."""
    if source in TORCHVISION_WEIGHTS:
        return source, _downloaded(TORCHVISION_WEIGHTS[source], "training.initial_weights", source)
    path = _initial_path(source)
    return str(path), weights.read(path)


def _initial_path(source: str) -> Path:
    path = Path(source)
    path = path / "model.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"training.initial_weights={source!r}: there is no {path}; give a finished run's folder, a .safetensors "
            f"or .pth file, or {' or '.join(TORCHVISION_WEIGHTS)} for torchvision's"
        )
    return path


def _logit_layers(model: DeepLabV3) -> list[str]:
    """Return the names of the tensors with one entry a class: those of the last convolution of each classifier."""
    names = []
    for prefix in ("classifier", "aux_classifier"):
        convolutions = [
            name
            for name, module in model.named_modules()
            if name.startswith(f"{prefix}.") and isinstance(module, nn.Conv2d)
        ]
        names += [f"{convolutions[-1]}.{part}" for part in ("weight", "bias")] if convolutions else []
    return names


def pretrained_backbone(source: str, backbone: str) -> dict[str, Tensor]:
    """Return the tensors of a pretrained classification network.

    Args:
        source: "imagenet", "scenes", "objects", or a file: .safetensors, or a checkpoint of torch.save.
        backbone: the network to start.

    Raises:
        ValueError: the source has no weights for this backbone, cannot be downloaded or is not a file of weights.
        FileNotFoundError: the file does not exist.
    """
    if source == "imagenet":
        return _imagenet(backbone)
    if source in SMALL:
        return _small(source, backbone)
    allowed = f"imagenet, {', '.join(SMALL)} or none"
    try:
        return weights.read(source)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{_named(source)}: no such file; give one, or {allowed}") from error
    except weights.WeightsError as error:
        raise weights.WeightsError(
            f"training.pretrained: {error}; give another file, or {allowed}"
        ) from error


def _named(source: str) -> str:
    return f"training.pretrained={source!r}"


def _small(source: str, backbone: str) -> dict[str, Tensor]:
    """Load the weights of one of the small backbones, which come with the package."""
    owner = SMALL[source]
    if backbone != owner:
        raise ValueError(
            f"training.pretrained={source!r}: those weights are of {owner}, not of {backbone}; give imagenet, a "
            "file, or none"
        )
    return weights.load_tensors(assets.weights(f"{owner}_{source}"))[0]


def _imagenet(backbone: str) -> dict[str, Tensor]:
    """Download torchvision's first set of ImageNet weights, trained as simply as those of the paper's time."""
    return _downloaded(_imagenet_entry(backbone), "training.pretrained", "imagenet")


def _imagenet_entry(backbone: str) -> str:
    if backbone not in ("resnet50", "resnet101"):
        raise ValueError(
            f"training.pretrained='imagenet': torchvision has no {backbone}; give scenes, a file, or none"
        )
    return f"{backbone.replace('resnet', 'ResNet')}_Weights.IMAGENET1K_V1"


def _downloaded(entry: str, field: str, value: str) -> dict[str, Tensor]:
    """Download one of torchvision's files of weights, or take it from the cache.

    Args:
        entry: its name in torchvision.
        field, value: the option that asked for it, for the message.

    Raises:
        ValueError: it cannot be downloaded.
    """
    from torchvision.models import get_weight

    weight = get_weight(entry)
    try:
        state_dict: dict[str, Tensor] = weight.get_state_dict(progress=True, check_hash=True)
        return state_dict
    # urllib's errors are OSErrors.
    except OSError as error:
        raise ValueError(
            f"{field}={value!r}: {weight.url} cannot be downloaded ({error}); download it on another machine and "
            f"give the file as {field}"
        ) from error
