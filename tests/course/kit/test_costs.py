"""The costs of a model are those of a network and of autograd, in Python and in JavaScript alike."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.course import PriceExplorer
from dlv3.course.kit.costs import price

CASES = [
    {
        "backbone": backbone,
        "size": size,
        "output_stride": output_stride,
        "blocks": blocks,
        "head": head,
        "num_classes": classes,
    }
    for (backbone, size), (output_stride, blocks), (head, classes) in itertools.product(
        (("resnet50", 513), ("resnet101", 321)),
        ((4, 4), (8, 7), (16, 4), (16, 5), (32, 6)),
        (("pooling", 21), ("aspp", 150), ("plain", 19)),
    )
]


def test_javascript_gives_the_same_figures():
    drawn = PriceExplorer.evaluate("cases.map(priceParts)", cases=CASES)
    for case, parts in zip(CASES, drawn, strict=True):
        assert parts == [vars(part) for part in price(**case)]


def network(case: dict) -> DeepLabV3:
    with torch.device("meta"):
        return DeepLabV3(
            DeepLabV3Config(
                backbone=case["backbone"],
                output_stride=case["output_stride"],
                blocks=case["blocks"],
                num_classes=case["num_classes"],
                multi_grid=(1, 1, 1),
                aspp_rates=() if case["head"] == "plain" else (6, 12, 18),
                image_pooling=case["head"] == "pooling",
                dropout=0.0,  # its mask is left out of the price
            )
        )


def part_of(name: str) -> str:
    """The price's part that a convolution or batch normalization belongs to."""
    steps = name.split(".")
    if steps[0] == "backbone":
        return steps[1].replace("layer", "block") if steps[1].startswith("layer") else "stem"
    if steps[1:3] == ["0", "convs"]:
        return {"0": "1×1", "4": "pooling"}.get(steps[3], "atrous 3×3")
    return "projection" if steps[1:3] == ["0", "project"] else "logits"


@pytest.mark.parametrize("case", CASES[::8], ids=str)
def test_parameters_and_multiply_adds_are_the_networks(case):
    model = network(case)
    counted = {part.name: [0, 0] for part in price(**case)}

    def count(part, module, _inputs, output):
        if isinstance(module, nn.Conv2d):
            counted[part][1] += module.weight.numel() * output[0, 0].numel()

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            part = part_of(name)
            counted[part][0] += sum(p.numel() for p in module.parameters())
            module.register_forward_hook(partial(count, part))
    model.eval()(torch.empty(1, 3, case["size"], case["size"], device="meta"))
    assert counted == {part.name: [part.parameters, part.multiply_adds] for part in price(**case)}


def test_torch_counts_the_same_multiply_adds():
    for output_stride in (8, 16):
        model = network(CASES[0] | {"output_stride": output_stride}).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(torch.empty(1, 3, 513, 513, device="meta"))
        adds = sum(part.multiply_adds for part in price(output_stride=output_stride))
        assert counter.get_total_flops() == 2 * adds


@pytest.mark.parametrize("case", CASES[::11], ids=str)
def test_memory_is_what_autograd_keeps(case):
    model = network(case).train()
    images = torch.empty(2, 3, case["size"], case["size"], device="meta")
    labels = torch.empty(2, case["size"], case["size"], dtype=torch.long, device="meta")
    kept = {}

    def keep(tensor):
        if tensor.ndim == 4 and tensor.dtype == torch.float32:
            kept[tensor.untyped_storage()] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = F.cross_entropy(model(images), labels)
    for known in (images, *model.parameters()):
        kept.pop(known.untyped_storage(), None)
    assert loss.requires_grad
    assert sum(kept.values()) == 2 * sum(part.values for part in price(**case))


def test_basic_units_are_refused():
    with pytest.raises(ValueError, match="expected a ResNet of bottleneck units"):
        price(backbone="resnet14")
