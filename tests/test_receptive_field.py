import itertools
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlv3.atrous import AtrousConv2d
from dlv3.receptive_field import (
    Layer,
    count_holes,
    count_paths,
    growth,
    layers_of,
    measure_backbone,
    measure_effective,
    measure_support,
    places_read,
    receptive_field,
)
from dlv3.resnet import BACKBONES, ResNet

layers = st.builds(
    Layer, st.integers(1, 5), stride=st.integers(1, 3), rate=st.integers(1, 5), padding=st.integers(0, 4)
)


def slim_backbone(name: str, **options) -> ResNet:
    """The same geometry with few channels: receptive fields do not depend on them."""
    return ResNet(replace(BACKBONES[name], widths=(4, 4, 4, 4), stem_channels=4), **options)


def seen_by_brute_force(chain: list[Layer], output: int) -> dict[int, int]:
    """Input pixel to number of paths, following every tap of every layer down from one output."""
    pixels = {output: 1}
    for layer in reversed(chain):
        below: dict[int, int] = {}
        for pixel, paths in pixels.items():
            for tap in range(layer.kernel_size):
                at = pixel * layer.stride - layer.padding + tap * layer.rate
                below[at] = below.get(at, 0) + paths
        pixels = below
    return pixels


@given(chain=st.lists(layers, min_size=1, max_size=4), output=st.integers(0, 5))
def test_arithmetic_agrees_with_following_every_tap(chain, output):
    pixels = seen_by_brute_force(chain, output)
    field = receptive_field(chain)
    assert field.span(output) == (min(pixels), max(pixels))
    assert field.size == max(pixels) - min(pixels) + 1
    first = min(pixels)
    assert count_paths(chain).tolist() == [pixels.get(first + i, 0) for i in range(field.size)]
    assert count_holes(chain) == field.size - len(pixels)


@given(rates=st.lists(st.integers(1, 5), max_size=4), kernel_size=st.sampled_from([1, 3, 5]))
def test_places_read_are_the_sums_of_the_steps_of_all_layers(rates, kernel_size):
    half = kernel_size // 2
    steps = [[rate * tap for tap in range(-half, half + 1)] for rate in rates]
    by_hand = Counter(sum(path) for path in itertools.product(*steps))
    places = places_read(rates, kernel_size)
    assert places == by_hand
    assert list(places) == sorted(by_hand)


@pytest.mark.parametrize(("rates", "kernel_size"), [((0,), 3), ((2,), 4), ((2,), 0), ((2.0,), 3)])
def test_places_of_impossible_stacks_are_refused(rates, kernel_size):
    with pytest.raises(ValueError, match="rate=|kernel_size="):
        places_read(rates, kernel_size)


def test_growth_starts_at_one_pixel_and_has_an_entry_for_each_layer():
    fields = growth([Layer(7, stride=2), Layer(3, stride=2), Layer(3, rate=2)])
    assert [f.size for f in fields] == [1, 7, 11, 27]
    assert [f.jump for f in fields] == [1, 2, 4, 4]


def test_equal_rates_leave_holes_that_rates_without_a_common_factor_fill():
    assert count_holes([Layer(3, rate=2)] * 3) > 0
    assert count_holes([Layer(3, rate=1), Layer(3, rate=2), Layer(3, rate=3)]) == 0


@pytest.mark.parametrize("rule", ["stage", "previous"])
@pytest.mark.parametrize("output_stride", [4, 8, 16, 32])
@pytest.mark.parametrize("name", list(BACKBONES))
def test_measured_support_agrees_with_arithmetic(name, output_stride, rule):
    backbone = slim_backbone(name, output_stride=output_stride, multi_grid=(1, 2, 4), first_unit=rule)
    assert measure_backbone(backbone) == receptive_field(layers_of(backbone))


@pytest.mark.parametrize("output_stride", [4, 8, 16, 32, 64, 128, 256])
def test_measured_support_agrees_with_arithmetic_in_the_whole_cascade(output_stride):
    backbone = slim_backbone("resnet14", output_stride=output_stride, blocks=7)
    assert measure_backbone(backbone) == receptive_field(layers_of(backbone))


def test_full_width_backbone_has_the_field_of_the_slim_one():
    full = ResNet(BACKBONES["resnet50"], output_stride=16, multi_grid=(1, 2, 4))
    assert measure_backbone(full) == receptive_field(
        layers_of(slim_backbone("resnet50", multi_grid=(1, 2, 4)))
    )


@pytest.mark.parametrize(
    ("name", "rule", "size"),
    # 483 and 1027 are the published fields of the original ResNets, 427 that of torchvision's ResNet-50.
    [("resnet50", "stage", 483), ("resnet101", "stage", 1027), ("resnet50", "previous", 427)],
)
def test_field_does_not_depend_on_the_output_stride(name, rule, size):
    for output_stride in (4, 8, 16, 32):
        backbone = slim_backbone(name, output_stride=output_stride, first_unit=rule)
        assert receptive_field(layers_of(backbone)).size == size


@settings(deadline=None, max_examples=20)
@given(rates=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_support_shows_the_holes_that_paths_count(rates):
    chain = [Layer(3, rate=rate) for rate in rates]
    network = nn.Sequential(*(AtrousConv2d(3, 3, rate=rate) for rate in rates))
    field = receptive_field(chain)
    support = measure_support(network, length=2 * field.size + 1, output=field.size)
    seen = count_paths(chain) > 0
    first = field.size - field.size // 2
    assert torch.equal(support[first : first + field.size], seen)
    assert support.sum() == seen.sum()


def test_support_leaves_the_network_as_it_was():
    backbone = slim_backbone("resnet14").train()
    before = {name: t.clone() for name, t in backbone.state_dict().items()}
    measure_support(backbone, length=64, output=0)
    assert backbone.training
    assert all(torch.equal(t, before[name]) for name, t in backbone.state_dict().items())


def test_support_of_an_output_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="output=9: a strip of 64 pixels has outputs 0 to 3"):
        measure_support(slim_backbone("resnet14"), length=64, output=9)


def test_effective_field_lies_inside_the_support_and_is_heavier_in_the_middle():
    torch.manual_seed(0)
    network = nn.Sequential(*(AtrousConv2d(c, 8) for c in (3, 8, 8, 8)))
    weights = measure_effective(network, size=33)
    field = receptive_field([Layer(3)] * 4)
    first, last = (int(edge) for edge in field.span(16))
    inside = weights[first : last + 1, first : last + 1]
    assert weights.sum().item() == pytest.approx(1, abs=1e-5)
    assert inside.sum().item() == pytest.approx(1, abs=1e-5)
    rim = torch.cat([inside[0], inside[-1], inside[1:-1, 0], inside[1:-1, -1]])
    assert weights[15:18, 15:18].mean() > 4 * rim.mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(kernel_size=0), "kernel_size=0"),
        (dict(kernel_size=3, rate=0), "rate=0"),
        (dict(kernel_size=3, stride=0), "stride=0"),
        (dict(kernel_size=3, padding=-1), "padding=-1"),
    ],
)
def test_impossible_layers_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Layer(**options)
