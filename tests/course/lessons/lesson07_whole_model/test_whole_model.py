"""DeepLabv3's parts in their shortest form: torchvision's weights fit them, and they give the library's answers."""

from typing import get_args

import pytest
import torch
from torch import nn
from torchvision.models import resnet

from dlv3 import aspp
from dlv3.course import check
from dlv3.course.lessons.lesson07_whole_model import whole_model
from dlv3.course.lessons.lesson07_whole_model.checks_modules import randomised
from dlv3.resnet import BACKBONES, FirstUnitRule, ResNet


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("07/bottleneck", whole_model.Bottleneck),
        ("07/deeplab", whole_model.DeepLab),
    ],
)
def test_each_part_passes_its_exercises_check(name, part):
    result = check(name, part)
    assert result.passed, repr(result)


@pytest.mark.parametrize(("in_channels", "stride"), [(16, 1), (64, 1), (64, 2)])
def test_bottleneck_is_torchvisions(in_channels, stride):
    projection = nn.Sequential(nn.Conv2d(in_channels, 16, 1, stride, bias=False), nn.BatchNorm2d(16))
    theirs = randomised(resnet.Bottleneck(in_channels, 4, stride, projection if in_channels != 16 else None))
    ours = whole_model.Bottleneck(in_channels, 4, stride).double().eval()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(1, in_channels, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(ours(images), theirs(images))


def test_unit_without_a_projection_takes_every_second_sample():
    unit = randomised(whole_model.Bottleneck(16, 4, stride=2))
    nn.init.zeros_(unit.bn3.weight)
    nn.init.zeros_(unit.bn3.bias)
    x = torch.rand(1, 16, 9, 11, dtype=torch.float64)
    assert unit.downsample is None
    assert torch.equal(unit(x), x[:, :, ::2, ::2])


def test_aspp_gives_the_librarys_answer():
    theirs = randomised(aspp.ASPP(6, 4, (1, 2, 3)))
    ours = whole_model.ASPP(6, 4, (1, 2, 3)).double().eval()
    ours.load_state_dict(theirs.state_dict())
    features = torch.randn(2, 6, 8, 7, dtype=torch.float64)
    torch.testing.assert_close(ours(features), theirs(features))


@pytest.mark.parametrize("output_stride", [8, 16, 32])
@pytest.mark.parametrize("rule", get_args(FirstUnitRule))
@pytest.mark.parametrize(("units", "grid"), [([3, 4, 6, 3], (1, 2, 4)), ([3, 4, 6, 3, 3, 3, 3], (1, 2, 1))])
def test_plan_is_the_librarys(units, grid, rule, output_stride):
    with torch.device("meta"):
        network = ResNet(
            BACKBONES["resnet50"],
            output_stride=output_stride,
            multi_grid=grid,
            blocks=len(units),
            first_unit=rule,
        )
    theirs = [
        [(unit.stride, unit.spatial_convs[0].rate) for unit in network.units(block)]
        for block in range(1, len(units) + 1)
    ]
    assert whole_model.plan(whole_model.strides_of(units, rule), output_stride, grid) == theirs
