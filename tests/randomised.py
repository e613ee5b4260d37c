"""A model that no shortcut in the code could get right by luck, for several tests."""

import torch
from torch import nn


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give a model statistics and gammas that no shortcut in the code could get right by luck; evaluation mode."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            with torch.no_grad():
                module.weight.uniform_(0.3, 0.6, generator=generator)
                module.bias.normal_(0, 0.1, generator=generator)
    return model.eval()
