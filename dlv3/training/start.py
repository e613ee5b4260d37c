"""What a training starts from: fresh weights, a pretrained backbone, or the weights of another run."""

from pathlib import Path

import torch
from torch import Tensor, nn

from dlv3 import weights
from dlv3.deeplab import DeepLabV3
from dlv3.presets import RunConfig

# The stand-ins for ImageNet lie beside the package, in the project's data folder.
SCENES_WEIGHTS = Path(__file__).parents[2] / "data" / "weights" / "resnet14_scenes.safetensors"
OBJECTS_WEIGHTS = SCENES_WEIGHTS.with_name("resnet17_objects.safetensors")


def build_model(config: RunConfig, *, load: bool = True) -> DeepLabV3:
    """The model that a run trains, before the first update.

    Args:
        config: its seed decides the fresh weights.
        load: False where a checkpoint overwrites everything anyway.

    Returns:
        The model on the CPU, its batch normalization set up as configured.

    Raises:
        ValueError: weights that are of another network, or not to be had.
        FileNotFoundError: no such file.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.training.seed)
        model = DeepLabV3(config.model)
    training = config.training
    if load and training.initial_weights is not None:
        load_initial(model, training.initial_weights)
    elif load and training.pretrained is not None:
        weights.load_backbone(model, pretrained_backbone(training.pretrained, config.model.backbone))
    model.set_batch_norm_momentum(1 - training.batch_norm_decay)
    if training.freeze_batch_norm:
        model.freeze_batch_norm()
    return model


def load_initial(model: DeepLabV3, source: str) -> None:
    """Copy the weights of another run. Where the number of classes differs, the layers that give logits stay fresh.

    Args:
        model: is filled in place.
        source: a run's folder or a .safetensors file.

    Raises:
        FileNotFoundError: there is neither.
        weights.WeightsError: the weights are of another network.
    """
    path = Path(source)
    path = path / "model.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"training.initial_weights={source!r}: no {path}; give a finished run's folder or a .safetensors file"
        )
    other = weights.load(path)
    state = other.state_dict()
    if other.config.num_classes != model.config.num_classes:
        own = model.state_dict()
        state |= {name: own[name] for name in _logit_layers(model)}
    weights.load_state_dict(model, state, str(path))


def _logit_layers(model: DeepLabV3) -> list[str]:
    """Names of the tensors that have one entry a class: the last convolution of each classifier."""
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
    """The tensors of a pretrained classification network.

    Args:
        source: "imagenet", "scenes", "objects", or a file: .safetensors, or a checkpoint of torch.save.
        backbone: the network that they are for.

    Raises:
        ValueError: there are none for this backbone, or they cannot be downloaded.
        FileNotFoundError: no such file.
    """
    if source == "imagenet":
        return _imagenet(backbone)
    if source in ("scenes", "objects"):
        return _small(source, backbone)
    if source.endswith(".safetensors"):
        return weights.load_tensors(source)[0]
    return weights.load_pickle(source)


def _small(source: str, backbone: str) -> dict[str, Tensor]:
    """The weights of one of the small backbones, which come with the project."""
    owner, path, command = {
        "scenes": ("resnet14", SCENES_WEIGHTS, "dlv3 data pretrain"),
        "objects": ("resnet17", OBJECTS_WEIGHTS, "dlv3 data pretrain --crops objects"),
    }[source]
    if backbone != owner:
        raise ValueError(
            f"training.pretrained={source!r}: those weights are of {owner}, not of {backbone}; give imagenet, a "
            "file, or none"
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"training.pretrained={source!r}: {path} is missing; it comes with the project's source, and "
            f"`{command}` makes it anew"
        )
    return weights.load_tensors(path)[0]


def _imagenet(backbone: str) -> dict[str, Tensor]:
    """torchvision's ImageNet weights: its first set, trained as plainly as those of the paper's time."""
    if backbone not in ("resnet50", "resnet101"):
        raise ValueError(
            f"training.pretrained='imagenet': torchvision has no {backbone}; give scenes, a file, or none"
        )
    from torchvision.models import get_weight

    entry = get_weight(f"{backbone.replace('resnet', 'ResNet')}_Weights.IMAGENET1K_V1")
    try:
        return entry.get_state_dict(progress=True, check_hash=True)
    except OSError as error:  # urllib's errors are OSErrors
        raise ValueError(
            f"training.pretrained='imagenet': {entry.url} cannot be downloaded ({error}); download it elsewhere and "
            "give the file as training.pretrained"
        ) from error
