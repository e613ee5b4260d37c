"""Checks of lesson 07, the whole model; `checks_modules` has those of the modules that you build."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dlv3.course.kit.answers import entries
from dlv3.course.kit.exercises import Wrong, equal, exercise, require, written
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.resnet import BottleneckUnit


@exercise("07/unit-parameters", title="What a unit weighs", difficulty=2, minutes=4)
def unit_parameters(attempt: Callable[[int, int], int]) -> str:
    for channels, width in ((256, 64), (2048, 512), (64, 64), (1024, 512)):
        with torch.device("meta"):
            unit = BottleneckUnit(channels, width)
        convs = sum(m.weight.numel() for m in unit.modules() if isinstance(m, nn.Conv2d))
        norms = sum(m.num_features for m in unit.modules() if isinstance(m, nn.BatchNorm2d))
        projection = 4 * width * (channels + 2)
        projected, superfluous = (0, projection) if unit.downsample is None else (projection, -1)
        want, with_statistics = convs + 2 * norms, convs + 4 * norms
        unprojected = want - projected
        hints = {
            with_statistics: "The running mean and variance are statistics, not parameters: no gradient moves them.",
            convs + norms: "Batch normalization has two parameters for each channel: a weight and a bias.",
            convs: "Batch normalization has parameters too: a weight and a bias for each channel.",
            unprojected: f"From {channels} to {4 * width} channels the shortcut needs a projection: a 1×1 "
            "and its batch normalization.",
            want + superfluous: "Here the channels do not change, so the shortcut has no projection.",
            want - 6 * width**2: "A 3×3 has 9 weights for each pair of channels, not 3.",
            want - 8 * width if projected else -1: "The projection has a batch normalization of its own.",
            want + 6 * width: "These convolutions have no bias: batch normalization brings one.",
        }
        equal(attempt(channels, width), want, written("unit_parameters", (channels, width)), hints)
    return "The 3×3 has about as many weights as the two 1×1 around it: that is the point of the bottleneck."


CONFIG_HINTS = {
    "output_stride": "Count the convolutions of stride 2 on the way: conv1, max-pooling, `layer2`. 2 · 2 · 2.",
    "aspp_rates": "dlv3 states ASPP's rates at output stride 16 and doubles them at 8. Which rates become "
    "theirs when they are doubled?",
    "multi_grid": "Look at the rates in `layer4`: without multi-grid, units 2 and 3 have the same rate.",
    "first_unit": "Look at the first unit of `layer4`: its 3×3 has the rate of `layer3`, not of its own block.",
    "extra_conv": "Look at `classifier[1]`: there is a 3×3 convolution between ASPP and the last 1×1.",
    "dropout": "Look at the last module of `classifier[0].project`.",
}


@exercise("07/torchvision", title="Read torchvision's model", difficulty=3, minutes=6)
def torchvision_config(attempt: dict[str, Any]) -> str:
    from torchvision.models.segmentation import deeplabv3_resnet50

    fields = entries(attempt, tuple(CONFIG_HINTS))
    with torch.device("meta"):
        theirs = deeplabv3_resnet50(weights=None, weights_backbone=None)
        try:
            ours = DeepLabV3(DeepLabV3Config(**fields))
        except ValueError as error:
            raise Wrong(f"`DeepLabV3Config` does not accept this: {error}") from None
    for name, holds in _config_facts(ours, theirs, fields).items():
        require(holds, f"`{name}` does not fit yet. {CONFIG_HINTS[name]}")
    return "This is what `dlv3.weights.from_torchvision` builds."


def _config_facts(ours: DeepLabV3, theirs: nn.Module, fields: dict[str, Any]) -> dict[str, bool]:
    """Tell for each field of the configuration whether it gives what torchvision's modules have."""
    dropout = theirs.get_submodule("classifier.0.project.3")
    mine, other = dict(ours.named_modules()), dict(theirs.named_modules())

    def same(start: str, field: str) -> bool:
        names = [n for n, m in other.items() if isinstance(m, nn.Conv2d) and n.startswith(start)]
        return all(getattr(mine[n], field) == getattr(other[n], field) for n in names)

    return {
        "output_stride": ours.output_stride == 8,
        "multi_grid": tuple(fields["multi_grid"]) == (1, 1, 1),
        "first_unit": same("backbone", "stride") and same("backbone", "dilation"),
        "aspp_rates": ours.aspp is not None
        and len(ours.aspp.convs) == 5
        and same("classifier.0.convs", "dilation"),
        "extra_conv": set(ours.state_dict()) == set(theirs.state_dict()),
        "dropout": isinstance(dropout, nn.Dropout) and fields["dropout"] == dropout.p,
    }
