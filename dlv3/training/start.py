"""The model before the first update: fresh weights, a pretrained backbone, or the weights of another run."""

from pathlib import Path

import torch
from torch import Tensor, nn

from dlv3 import assets, weights
from dlv3.config.run import RunConfig
from dlv3.deeplab import DeepLabV3

SMALL = {"scenes": "resnet14", "objects": "resnet17"}
"""The stand-ins for ImageNet that come with the package, and the backbone that each is for."""


def build_model(config: RunConfig, *, load: bool = True) -> DeepLabV3:
    """Build the model that a run trains, before the first update.

    Args:
        config: the run's; its seed decides the fresh weights.
        load: False where a checkpoint overwrites all weights anyway.

    Returns:
        The model on the CPU, its batch normalization set up as configured.

    Raises:
        ValueError: the weights are of another network, or cannot be downloaded.
        FileNotFoundError: there is no such file.
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
    """Copy the weights of another run. If the number of classes differs, the layers that give logits stay fresh.

    Args:
        model: filled in place.
        source: a run's folder or a .safetensors file.

    Raises:
        FileNotFoundError: there is no such file.
        weights.WeightsError: the weights are of another network.
    """
    path = Path(source)
    path = path / "model.safetensors" if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(
            f"training.initial_weights={source!r}: there is no {path}; give a finished run's folder or a .safetensors "
            "file"
        )
    other = weights.load(path)
    state = other.state_dict()
    if other.config.num_classes != model.config.num_classes:
        own = model.state_dict()
        state |= {name: own[name] for name in _logit_layers(model)}
    weights.load_state_dict(model, state, str(path))


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
        ValueError: the source has no weights for this backbone, or they cannot be downloaded.
        FileNotFoundError: there is no such file.
    """
    if source == "imagenet":
        return _imagenet(backbone)
    if source in SMALL:
        return _small(source, backbone)
    if source.endswith(".safetensors"):
        return weights.load_tensors(source)[0]
    return weights.load_pickle(source)


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
    if backbone not in ("resnet50", "resnet101"):
        raise ValueError(
            f"training.pretrained='imagenet': torchvision has no {backbone}; give scenes, a file, or none"
        )
    from torchvision.models import get_weight

    entry = get_weight(f"{backbone.replace('resnet', 'ResNet')}_Weights.IMAGENET1K_V1")
    try:
        state_dict: dict[str, Tensor] = entry.get_state_dict(progress=True, check_hash=True)
        return state_dict
    # urllib's errors are OSErrors.
    except OSError as error:
        raise ValueError(
            f"training.pretrained='imagenet': {entry.url} cannot be downloaded ({error}); download it on "
            "another machine and give the file as training.pretrained"
        ) from error
