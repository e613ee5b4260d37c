"""The ResNet explorer: JavaScript, its Python twin, and torchvision's network say the same of each convolution."""

from dataclasses import asdict

import pytest
import torch
import traitlets
from stills import check_still
from torch import nn
from torchvision import models

from dlv3.course import ResNetExplorer

STATES = [
    dict(backbone=backbone, block=block, unit=unit, output_stride=output_stride, first_unit=rule)
    for backbone in ("resnet50", "resnet101")
    for block in range(5)
    for unit in sorted({1, 2, ResNetExplorer.units_in(backbone, block)})
    if unit <= ResNetExplorer.units_in(backbone, block)
    for output_stride in (8, 32)
    for rule in ("stage", "previous")
]


def test_javascript_shows_the_librarys_convolutions():
    shown = ResNetExplorer.evaluate("states.map(openConvolutions)", states=STATES)
    for state, convolutions in zip(STATES, shown, strict=True):
        assert convolutions == [asdict(each) for each in ResNetExplorer(**state).convolutions]


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_names_shapes_strides_and_maps_are_torchvisions(name):
    sides = {}
    with torch.device("meta"):
        theirs = getattr(models, name)(replace_stride_with_dilation=[False, True, True]).eval()
        for place, layer in theirs.named_modules():
            layer.register_forward_hook(
                lambda _, inputs, out, place=place: sides.update({place: out.shape[-1]})
            )
        theirs(torch.empty(1, 3, 513, 513))
    modules = dict(theirs.named_modules())
    for block in range(5):
        for unit in range(1, ResNetExplorer.units_in(name, block) + 1):
            explorer = ResNetExplorer(
                backbone=name, block=block, unit=unit, output_stride=8, first_unit="previous"
            )
            for each in explorer.convolutions:
                layer = modules[each.name]
                assert sides[each.name] == each.side
                if isinstance(layer, nn.Conv2d):
                    assert (layer.in_channels, layer.out_channels) == (each.channels_in, each.channels_out)
                    assert layer.kernel_size == (each.kernel_size,) * 2
                    assert layer.stride == (each.stride,) * 2
                    assert layer.dilation == (each.rate,) * 2


def test_weights_of_all_units_are_those_of_torchvisions_convolutions():
    for name in ("resnet50", "resnet101"):
        with torch.device("meta"):
            convolutions = [m for m in getattr(models, name)().modules() if isinstance(m, nn.Conv2d)]
        counted = ResNetExplorer.evaluate("networkWeights(state)", state=dict(backbone=name, output_stride=8))
        assert counted == sum(layer.weight.numel() for layer in convolutions)


def test_arrow_keys_go_through_every_unit_and_back():
    walk = """(() => {
      let state = first; const places = [[state.block, state.unit]];
      for (const key of ["ArrowRight", "ArrowLeft"])
        for (let changes; (changes = resnetScreen.key(key, state)); )
          places.push([(state = resnetScreen.repair({ ...state, ...changes }).state).block, state.unit]);
      return places;
    })()"""
    places = ResNetExplorer.evaluate(walk, first=ResNetExplorer(block=0).state)
    forth = [[0, 1]] + [
        [b, u] for b in range(1, 5) for u in range(1, ResNetExplorer.units_in("resnet50", b) + 1)
    ]
    assert places == forth + forth[-2::-1]


def test_a_press_opens_a_block_and_a_unit_and_misses_between_them():
    presses = [[620, 40], [130, 150], [835, 150], [40, 40], [400, 300], [236, 40]]
    state = ResNetExplorer(block=3, unit=2).state
    found = ResNetExplorer.evaluate(
        "presses.map(([x, y]) => opened(x, y, state))", presses=presses, state=state
    )
    assert found == [{"block": 3}, {"unit": 1}, {"unit": 6}, None, None, None]


def test_unit_that_a_block_does_not_have_is_refused_and_the_sliders_never_ask_for_it():
    with pytest.raises(traitlets.TraitError, match="unit=4: block=4 opens units 1 to 3"):
        ResNetExplorer(block=4, unit=4)
    far = ResNetExplorer(backbone="resnet101", block=3, unit=23).state
    for changes in ({"block": 4}, {"block": 0}, {"backbone": "resnet50"}):
        ResNetExplorer(**ResNetExplorer.evaluate("resnetScreen.repair(state).state", state=far | changes))


def test_still_picture_is_whole():
    check_still(ResNetExplorer(block=4), ResNetExplorer(block=4))
    check_still(ResNetExplorer(block=0), ResNetExplorer(block=0))
