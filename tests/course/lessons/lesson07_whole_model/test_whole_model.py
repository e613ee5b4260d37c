"""DeepLabv3's parts in their shortest form: torchvision's weights fit them, and they give the library's answers."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet

from dlv3 import aspp
from dlv3.course import check
from dlv3.course.lessons.lesson07_whole_model import whole_model
from dlv3.course.lessons.lesson07_whole_model.checks_modules import randomised


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("07/plan", whole_model.plan),
        ("07/bottleneck", whole_model.Bottleneck),
        ("07/aspp", whole_model.ASPP),
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


def test_plan_stops_at_the_output_stride():
    strides = [[1, 1, 2], [1, 1, 2], [1, 1, 2], [1, 1, 1]]
    assert whole_model.plan(strides, 16, (1, 2, 4)) == [
        [(1, 1), (1, 1), (2, 1)],
        [(1, 1), (1, 1), (2, 1)],
        [(1, 1), (1, 1), (1, 1)],
        [(1, 2), (1, 4), (1, 8)],
    ]
