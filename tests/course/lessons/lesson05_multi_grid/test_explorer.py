"""The multi-grid explorer's JavaScript, run in an embedded V8, gives what the library, a gradient and a ResNet give."""

import itertools

import pytest
import torch
import traitlets
from stills import check_still
from torch import nn

from dlv3 import receptive_field
from dlv3.course import MultiGridExplorer
from dlv3.resnet import BACKBONES, ResNet

CASES = [
    {"multi_grid": list(units), "base_rate": base}
    for units in itertools.product((1, 2, 3, 5, 9), repeat=3)
    for base in (1, 2, 4)
][::2]


def explorer(case) -> MultiGridExplorer:
    return MultiGridExplorer(case["multi_grid"], base_rate=case["base_rate"])


def test_facts_are_the_librarys():
    facts = MultiGridExplorer.evaluate("cases.map(blockFacts)", cases=CASES)
    for case, fact in zip(CASES, facts, strict=True):
        layers = [receptive_field.Layer(3, rate=case["base_rate"] * unit) for unit in case["multi_grid"]]
        assert fact["field"] == receptive_field.count_paths(layers).tolist()
        assert fact["size"] == receptive_field.receptive_field(layers).size
        assert fact["holes"] + fact["skipped"] == receptive_field.count_holes(layers)


def test_facts_are_the_explorers_own_in_python():
    facts = MultiGridExplorer.evaluate("cases.map(blockFacts)", cases=CASES)
    for case, fact in zip(CASES, facts, strict=True):
        twin = explorer(case)
        assert tuple(fact["rates"]) == twin.rates
        for name in ("size", "read", "holes", "skipped"):
            assert fact[name] == getattr(twin, name), (case, name)
        assert fact["density"] == pytest.approx(twin.density)


@pytest.mark.parametrize("case", CASES[::40], ids=str)
def test_density_is_the_share_of_samples_that_a_gradient_reaches(case):
    twin = explorer(case)
    convolutions = [nn.Conv2d(1, 1, 3, dilation=rate, bias=False).double() for rate in twin.rates]
    for convolution in convolutions:
        nn.init.ones_(convolution.weight)
    field = torch.ones(1, 1, twin.size, twin.size, dtype=torch.float64, requires_grad=True)
    output = nn.Sequential(*convolutions)(field)
    assert output.shape == (1, 1, 1, 1)
    output.sum().backward()
    assert (field.grad > 0).double().mean().item() == pytest.approx(twin.density)


@pytest.mark.parametrize(("output_stride", "base"), [(32, 1), (16, 2), (8, 4)])
def test_rates_are_those_of_block4(output_stride, base):
    with torch.device("meta"):
        network = ResNet(BACKBONES["resnet50"], output_stride=output_stride, multi_grid=(1, 2, 4))
    rates = tuple(unit.spatial_convs[0].rate for unit in network.block(4))
    assert rates == MultiGridExplorer((1, 2, 4), base_rate=base).rates


def test_holes_are_where_the_rule_says():
    """No holes in the grid: sorted, each unit rate fits into the window that the ones before it have filled."""
    for units in itertools.combinations_with_replacement(range(1, 10), 3):
        a, b, c = units
        solid = a <= 1 and b <= 1 + 2 * a and c <= 1 + 2 * (a + b)
        assert (MultiGridExplorer(units, base_rate=2).holes == 0) == solid, units


@pytest.mark.parametrize(
    "wrong",
    [{"multi_grid": (1, 2)}, {"multi_grid": (0, 1, 1)}, {"multi_grid": (1, 1, 10)}, {"base_rate": 3}],
    ids=str,
)
def test_impossible_values_are_refused(wrong):
    with pytest.raises(traitlets.TraitError):
        MultiGridExplorer(**wrong)


def test_sliders_set_what_they_say():
    state = {"multi_grid": [1, 2, 4], "base_rate": 2}
    moved = MultiGridExplorer.evaluate(
        "multiGrid.controls(state).map((control) => control.options"
        " ? control.set(state, '(2, 2, 2)') : control.set(state, control.min))",
        state=state,
    )
    assert moved == [
        {"multi_grid": [2, 2, 2]},
        {"base_rate": 1},
        {"multi_grid": [1, 2, 4]},
        {"multi_grid": [1, 1, 4]},
        {"multi_grid": [1, 2, 1]},
    ]


def test_the_sentence_tells_rates_and_holes():
    assert "rates (2, 4, 8)" in MultiGridExplorer().says()
    assert "no holes" in MultiGridExplorer().says()
    assert "120 samples of the block's own grid are holes" in MultiGridExplorer((2, 2, 2)).says()


def test_still_picture_is_whole():
    made, again = (MultiGridExplorer((1, 3, 9), base_rate=4) for _ in range(2))
    check_still(made, again)
