"""The explorers' JavaScript, run in an embedded V8, gives what its Python twin gives, case by case."""

import itertools
import json

import pytest
import torch
import traitlets
from torch import nn

from dlv3 import atrous, receptive_field
from dlv3.course import AtrousExplorer, OutputStrideLadder, ReceptiveFieldExplorer
from dlv3.course.kit import javascript
from dlv3.course.lessons.lesson03_output_stride.ladder import ladder
from dlv3.resnet import BACKBONES, ResNet

SHAPES = [
    {"size": n, "kernel_size": k, "rate": r, "stride": s, "padding": p}
    for n, k, r, s, p in itertools.product(
        (3, 8, 15, 100), (1, 2, 3, 7), (1, 2, 5, 12), (1, 2, 4), (0, 1, 12)
    )
]


def _possible(shape) -> bool:
    span = atrous.effective_kernel_size(shape["kernel_size"], shape["rate"])
    return span <= shape["size"] + 2 * shape["padding"]


def test_atrous_arithmetic_is_the_librarys():
    shapes = [shape for shape in SHAPES if _possible(shape)]
    sizes = javascript.run(
        "atrous",
        "cases.map((c) => [effectiveKernel(c.kernel_size, c.rate),"
        " outputSize(c.size, c.kernel_size, c.rate, c.stride, c.padding)])",
        cases=shapes,
    )
    for shape, (span, outputs) in zip(shapes, sizes, strict=True):
        assert span == atrous.effective_kernel_size(shape["kernel_size"], shape["rate"])
        assert outputs == atrous.output_size(**shape)


def test_lit_taps_are_the_samples_that_torch_reads():
    k, rate, stride, padding, size = 3, 2, 2, 3, 11
    signal = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    weight = torch.ones(1, 1, k, dtype=torch.float64)
    outputs = nn.functional.conv1d(signal, weight, stride=stride, padding=padding, dilation=rate).flatten()
    taps = javascript.run("atrous", "cases.map((c) => tapsOf(...c))",
                          cases=[[i, k, rate, stride, padding] for i in range(len(outputs))])  # fmt: skip
    for i, lit in enumerate(taps):
        (read,) = torch.autograd.grad(outputs[i], signal, retain_graph=True)
        assert [t for t in lit if 0 <= t < size] == read.flatten().nonzero().flatten().tolist()
        explorer = AtrousExplorer(
            kernel_size=k, rate=rate, stride=stride, padding=padding, size=size, column=i
        )
        assert explorer.taps == lit


def test_atrous_limits_let_through_what_fits_and_nothing_else():
    ranges = javascript.run("atrous", "ATROUS_RANGES")
    shapes = [shape for shape in SHAPES if _possible(shape)][::7]
    limits = javascript.run("atrous", "cases.map(atrousLimits)", cases=shapes)
    for shape, limit in zip(shapes, limits, strict=True):
        for name, (low, high) in ranges.items():
            fitting = [value for value in range(low, high + 1) if _possible(shape | {name: value})]
            assert [min(fitting), max(fitting)] == limit[name], (shape, name)


def test_mended_atrous_state_is_valid_whatever_was_moved():
    cases = []
    for shape, (name, value) in itertools.product(
        [s for s in SHAPES if _possible(s)][::29],
        [
            ("kernel_size", 7),
            ("rate", 12),
            ("stride", 4),
            ("padding", 0),
            ("size", 3),
            ("row", 1e6),
            ("column", -1),
        ],
    ):
        cases.append([shape | {"dims": 2, "row": 0, "column": 0} | {name: value}, name])
    for mended in javascript.run(
        "atrous", "cases.map(([s, key]) => atrousRepair(s, key).state)", cases=cases
    ):
        AtrousExplorer(**mended)  # raises where the state is impossible


@pytest.mark.parametrize(
    "wrong",
    [{"size": 5, "rate": 3}, {"row": 11}, {"column": -1}, {"kernel_size": 8}, {"dims": 3}, {"rate": 0}],
)
def test_impossible_atrous_values_are_refused_in_python_too(wrong):
    with pytest.raises(traitlets.TraitError):
        AtrousExplorer(**wrong)


def test_field_size_holes_and_paths_are_the_librarys():
    stacks = [list(rates) for n in (1, 2, 3, 5) for rates in itertools.product((1, 2, 5, 8), repeat=n)][::5]
    cases = [{"kernel_size": k, "rates": rates} for k in (2, 3, 5) for rates in stacks]
    facts = javascript.run(
        "receptive_field",
        "cases.map((c) => ({...fieldFacts(c), formula: fieldSize(c.kernel_size, c.rates)}))",
        cases=cases,
    )
    for case, fact in zip(cases, facts, strict=True):
        layers = [receptive_field.Layer(case["kernel_size"], rate=rate) for rate in case["rates"]]
        assert fact["size"] == fact["formula"] == receptive_field.receptive_field(layers).size
        assert fact["holes"] == receptive_field.count_holes(layers)
        assert fact["input"] == receptive_field.count_paths(layers).tolist()


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
    drawn = javascript.run("output_stride", "cases.map(ladder)", cases=LADDERS)
    for case, rungs in zip(LADDERS, drawn, strict=True):
        twin = [vars(rung) | {"rates": list(rung.rates)} for rung in ladder(**case)]
        assert rungs == twin


@pytest.mark.parametrize("case", LADDERS[:20:3], ids=str)
def test_ladder_is_what_a_network_does(case):
    options = {k: case[k] for k in ("output_stride", "blocks", "first_unit")}
    with torch.device("meta"):
        network = ResNet(BACKBONES[case["backbone"]], multi_grid=tuple(case["multi_grid"]), **options)
        counted = {rung.name: [0, 0, 0] for rung in ladder(**case)}

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
    for rung in ladder(**case):
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
        javascript.run("output_stride", "cases.map(([s, k]) => ladderRepair(s, k))", cases=cases),
        strict=True,
    ):
        OutputStrideLadder(**mended["state"])  # raises where it cannot be
        assert bool(mended["note"]) == (state["output_stride"] > 4 * 2 ** (state["blocks"] - 1)), key
    with pytest.raises(traitlets.TraitError, match="4 blocks reach 32"):
        OutputStrideLadder(output_stride=64)


@pytest.mark.parametrize("make", [AtrousExplorer, ReceptiveFieldExplorer, OutputStrideLadder])
def test_still_picture_is_the_same_each_time_and_carries_its_state(make):
    first, second = make()._repr_mimebundle_()[0], make()._repr_mimebundle_()[0]
    assert first["image/svg+xml"] == second["image/svg+xml"]
    assert first["text/plain"] == second["text/plain"]
    assert make().says() in first["text/plain"]
    from xml.etree import ElementTree

    root = ElementTree.fromstring(first["image/svg+xml"])
    assert json.loads(root.get("data-state")) == make().state
    assert root.find("{*}desc").text
    assert "undefined" not in first["image/svg+xml"]
    assert "NaN" not in first["image/svg+xml"]


@pytest.mark.parametrize("make", [AtrousExplorer, ReceptiveFieldExplorer, OutputStrideLadder])
def test_explorer_needs_nothing_from_the_network(make):
    assert "http" not in make()._esm.replace("http://www.w3.org/2000/svg", "")
    assert "import" not in make()._esm.split()
    assert "url(" not in make()._css.replace("url(#", "")
