"""Checks of lesson 02 on whole networks: a ResNet-50's strides and rates, and the effective side."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from dlv3.course.kit.answers import as_pairs, sequence
from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, written
from dlv3.receptive_field import layers_of
from dlv3.resnet import BACKBONES, ResNet


@exercise("02/resnet-layers", title="Strides into rates", difficulty=2, minutes=5, gives=as_pairs)
def resnet_layers(attempt: Callable[[int], list[tuple[int, int, int]]]) -> str:
    blocks = {"block1": (2, 5), "block2": (5, 9), "block3": (9, 15), "block4": (15, 18)}
    for output_stride in (32, 16, 8, 4):
        call = written("resnet50_layers", (output_stride,))
        layers = sequence(attempt(output_stride), call, "a list of layers, each (kernel_size, stride, rate)")
        require(
            all(isinstance(layer, tuple | list) and len(layer) == 3 for layer in layers),
            f"{call} holds something else than triples: each layer is (kernel_size, stride, rate).",
        )
        got, want = as_pairs(layers), resnet50_chain(output_stride)
        require(len(got) == len(want), f"{call} has {len(got)} layers, but it should have {len(want)}.")
        for block, (first, end) in blocks.items():
            rates, right = ([layer[2] for layer in chain[first:end]] for chain in (got, want))
            hint = {
                0: "A rate is at least 1: `max(1, ...)`.",
                1: "A stride that is left out doubles the rate of every layer behind it.",
            }.get(rates[0], "Rates are whole numbers: divide with `//`." if rates == right else "")
            same = rates == right and all(isinstance(rate, int) for rate in rates)
            require(same, f"In {call} {block} has rates {rates}, but it should have {right}. {hint}".rstrip())
            strides, right = ([layer[1] for layer in chain[first:end]] for chain in (got, want))
            reached = math.prod(layer[1] for layer in got[:end])
            hint = f"The map would then be at a jump of {reached}." if reached > output_stride else ""
            require(
                strides == right,
                f"In {call} {block} has strides {strides}, but it should have {right}. {hint}".rstrip(),
            )
        stem, sizes = got[:2], [layer[0] for layer in got]
        require(stem == want[:2], f"In {call} conv1 and pool1 are {stem}, but they should stay {want[:2]}.")
        right = [layer[0] for layer in want]
        require(sizes == right, f"In {call} the kernels are {sizes}, but they should be {right}.")
    return "Sixteen 3×3 convolutions and a stem: all that a ResNet-50's field depends on."


def resnet50_chain(output_stride: int) -> list[tuple[int, int, int]]:
    """Return (kernel size, stride, rate) of the library's ResNet-50, without its 1×1 convolutions."""
    with torch.device("meta"):
        network = ResNet(BACKBONES["resnet50"], output_stride=output_stride)
    chain = layers_of(network)
    return [(layer.kernel_size, layer.stride, layer.rate) for layer in chain if layer.kernel_size > 1]


def side_of_share(weights: Tensor, share: float = 0.95) -> int:
    """Return the side of the smallest centred square with at least this share of all weight."""
    rows = torch.arange(len(weights)) - len(weights) // 2
    ring = torch.maximum(rows.abs()[:, None], rows.abs()[None, :])  # how far from the centre
    within = torch.bincount(ring.flatten(), weights.flatten().double()).cumsum(0)
    return 2 * int((within < share).sum()) + 1


@exercise("02/effective-side", title="The effective side", difficulty=2, minutes=5, gives=plain)
def effective_side(attempt: Callable[..., int]) -> str:
    point = torch.zeros(9, 9)
    point[4, 4] = 1.0
    ring = point / 2
    ring[2, 4] = ring[6, 4] = ring[4, 2] = ring[4, 6] = 0.125
    aside = torch.zeros(9, 9)
    aside[1, 4] = 1.0
    rim = torch.zeros(9, 9)
    rim[4, 0] = rim[4, 8] = 0.5
    bell = torch.exp(-((torch.arange(31.0) - 15) ** 2) / 32)
    round_bell = bell[:, None] * bell[None, :] / bell.sum() ** 2
    named = {
        "all the weight on the centre": (point, 0.95, 1),
        "half of the weight 2 px off the centre": (ring, 0.95, 5),
        "half of the weight 2 px off the centre, share 0.4": (ring, 0.4, 1),
        "all the weight 3 px above the centre": (aside, 0.95, 7),
        "a bell of deviation 4": (round_bell, 0.95, 19),
        "all the weight at the rim": (rim, 0.95, 9),
    }
    for name, (weights, share, want) in named.items():
        call = f"With {name}, `effective_side(weights, {share})`"
        hints = {
            want // 2: "That is the distance from the centre. The side is twice that, plus 1.",
            want - 1: "Count the pixels: from -h to h there are 2h + 1. A slice leaves out its end.",
            want + 2: "That is one ring too many: stop as soon as the share is reached.",
        }
        if want == 1:
            hints = {0: "The centre pixel itself is a square of side 1."}
        got = attempt(weights.clone(), share)
        if got == 1 and want > 1:
            hints[1] = "Compare the sum inside the square with the share."
        if got is None and name.endswith("rim"):
            raise Wrong(
                f"{call} finds no square and gives `None`: the largest half side, the middle, must be tried too."
            )
        equal(got, want, call, hints)
    equal(attempt(ring.clone()), 5, "With half of the weight 2 px off the centre, `effective_side(weights)`")
    return "One number to compare with the receptive field's size."
