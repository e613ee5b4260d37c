"""The output-stride ladder's figures are its Python twin's, and the twin's are those of a network."""

import itertools

import pytest
import torch
import traitlets
from stills import check_still
from torch import nn

from dlv3.course import OutputStrideLadder
from dlv3.resnet import BACKBONES, ResNet

LADDERS = [
    {
        "backbone": b,
        "size": size,
        "output_stride": os,
        "blocks": blocks,
        "multi_grid": grid,
        "first_unit": rule,
    }
    for (b, size), (os, blocks), grid, rule in itertools.product(
        (("resnet50", 513), ("resnet101", 225)),
        ((4, 4), (8, 7), (16, 5), (32, 4), (256, 7)),
        ([1, 1, 1], [1, 2, 4]),
        ("stage", "previous"),
    )
]


def test_ladders_arithmetic_is_its_twins():
    drawn = OutputStrideLadder.evaluate("cases.map(ladder)", cases=LADDERS)
    for case, rungs in zip(LADDERS, drawn, strict=True):
        twin = [vars(rung) | {"rates": list(rung.rates)} for rung in OutputStrideLadder(**case).rungs]
        assert rungs == twin


@pytest.mark.parametrize("case", LADDERS[:20:3], ids=str)
def test_ladder_is_what_a_network_does(case):
    options = {k: case[k] for k in ("output_stride", "blocks", "first_unit")}
    with torch.device("meta"):
        network = ResNet(BACKBONES[case["backbone"]], multi_grid=tuple(case["multi_grid"]), **options)
        counted = {rung.name: [0, 0, 0] for rung in OutputStrideLadder(**case).rungs}

        def count(conv, _inputs, output, name):
            values = output[0].numel()
            weights = conv.weight.numel()
            adds = weights * output[0, 0].numel()
            counted[name] = [a + b for a, b in zip(counted[name], (weights, adds, values), strict=True)]

        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d):
                rung = name.split(".")[0].replace("layer", "block").replace("conv1", "stem")
                module.register_forward_hook(lambda *a, rung=rung: count(*a, rung))
        maps = network.feature_maps(torch.empty(1, 3, case["size"], case["size"]))
    for rung in OutputStrideLadder(**case).rungs:
        assert maps[rung.name].shape[1:] == (rung.channels, rung.size, rung.size)
        assert counted[rung.name] == [rung.weights, rung.multiply_adds, rung.values]
        if rung.rates:
            block = network.block(int(rung.name[-1]))
            assert rung.rates == tuple(unit.spatial_convs[0].rate for unit in block)


def test_ladder_never_asks_for_more_stride_than_its_blocks_have():
    cases = [
        [{"output_stride": os, "blocks": blocks}, key]
        for os in (4, 8, 16, 32, 64, 128, 256)
        for blocks in (4, 5, 6, 7)
        for key in ("output_stride", "blocks")
    ]
    for (state, key), mended in zip(
        cases,
        OutputStrideLadder.evaluate("cases.map(([s, k]) => reachedStride(s, k))", cases=cases),
        strict=True,
    ):
        OutputStrideLadder(**mended["state"])  # raises if it is impossible
        assert bool(mended["note"]) == (state["output_stride"] > 4 * 2 ** (state["blocks"] - 1)), key
    with pytest.raises(traitlets.TraitError, match="4 blocks reach 32"):
        OutputStrideLadder(output_stride=64)


def test_still_picture_is_whole():
    check_still(OutputStrideLadder(), OutputStrideLadder())
