"""The optimizer, and the learning rate of each part of the model (§4.1)."""

from typing import Any

import torch
from torch import nn

from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3
from dlv3.resnet import CASCADE_START

FACTOR = "learning_rate_factor"
"""A key of each group of parameters: the factor on its learning rate."""


def make_optimizer(model: DeepLabV3, training: TrainingConfig, device: torch.device) -> torch.optim.Optimizer:
    """Return the optimizer that a configuration asks for, over what the model learns.

    Args:
        model: parameters that need no gradient are left out.
        training: the configuration.
        device: where the parameters are.

    Returns:
        An optimizer whose groups have a `FACTOR`.
    """
    groups = parameter_groups(model, training.front_learning_rate)
    options: dict[str, Any] = dict(
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
        fused=device.type in ("cpu", "cuda"),
    )
    if training.optimizer == "adamw":
        return torch.optim.AdamW(groups, **options)
    return torch.optim.SGD(groups, momentum=training.momentum, **options)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give each group of parameters the learning rate times its own factor."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group[FACTOR]


def parameter_groups(model: DeepLabV3, front_factor: float) -> list[dict[str, Any]]:
    """Return the parameters that learn: one group, or two, the rest and the front, if the front's factor is not 1.

    The front, stem to block3, is what a pretraining has taught. The cascade, ASPP and the classifiers are new.
    """
    front = {id(p) for p in front_parameters(model)} if front_factor != 1 else set()
    learning = [p for p in model.parameters() if p.requires_grad]
    rest = [p for p in learning if id(p) not in front]
    groups: list[dict[str, Any]] = [{"params": rest, FACTOR: 1.0}]
    if front:
        groups.append({"params": [p for p in learning if id(p) in front], FACTOR: front_factor})
    return groups


def front_parameters(model: DeepLabV3) -> list[nn.Parameter]:
    """Return the parameters of the backbone's stem and of its blocks before the cascade: block1 to block3."""
    behind = tuple(f"layer{number}." for number in range(CASCADE_START, model.config.blocks + 1))
    return [p for name, p in model.backbone.named_parameters() if not name.startswith(behind)]
