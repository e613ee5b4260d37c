"""Folded modules answer as the modules that they were made from, in evaluation mode."""

import copy

import pytest
import torch
from randomised import randomise
from torch import nn

from dlv3.aspp import ASPP, conv_bn_relu
from dlv3.atrous import AtrousConv2d
from dlv3.fast import folded, winograd
from dlv3.fast.folded import FoldedASPP, FoldedConv2d, FoldedUnit, fold_sequence
from dlv3.resnet import BasicUnit, BottleneckUnit


@pytest.fixture(autouse=True, params=["fused", "plain"])
def _with_and_without_onednn(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(folded, "fuses", lambda images: False)
        monkeypatch.setattr(winograd, "fuses", lambda images: False)


@pytest.fixture(autouse=True)
def _without_gradients():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def conv_and_bn(rate: int = 1, stride: int = 1) -> tuple[AtrousConv2d, nn.BatchNorm2d]:
    return AtrousConv2d(4, 6, rate=rate, stride=stride), randomise(nn.BatchNorm2d(6))


def test_worked_example_of_one_weight():
    conv, bn = AtrousConv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0).eval()
    conv.weight.fill_(2)
    bn.running_mean.fill_(1)
    bn.running_var.fill_(4)
    bn.weight.fill_(6)
    bn.bias.fill_(5)
    made = FoldedConv2d(conv, bn, relu=False)
    assert (made.weight.item(), made.bias.item()) == (6, 2), "3 (2 x - 1) + 5"
    assert (
        made(torch.full((1, 1, 1, 1), 10.0)).item() == bn(conv(torch.full((1, 1, 1, 1), 10.0))).item() == 62
    )


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(("rate", "stride", "size"), [(1, 1, 9), (2, 1, 9), (12, 1, 9), (1, 2, 9), (5, 1, 1)])
def test_convolution_batch_norm_residual_and_relu_are_one(rate, stride, size, relu):
    conv, bn = conv_and_bn(rate, stride)
    made = FoldedConv2d(conv, bn, relu=relu)
    images = torch.randn(2, 4, size, size + 2)
    plain = bn(conv(images))
    residual = torch.randn_like(plain)
    for _ in range(2):  # the second time with packed weights
        torch.testing.assert_close(made(images), plain.relu() if relu else plain, rtol=1e-4, atol=1e-5)
        added = plain + residual
        found = made(images, residual=residual.clone())
        torch.testing.assert_close(found, added.relu() if relu else added, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_shift_is_added_before_the_relu_image_by_image(batch):
    conv, bn = conv_and_bn()
    images, shift = torch.randn(batch, 4, 9, 9), torch.randn(batch, 6)
    expected = (bn(conv(images)) + shift[:, :, None, None]).relu()
    made = FoldedConv2d(conv, bn, relu=True)
    torch.testing.assert_close(made(images, shift=shift), expected, rtol=1e-4, atol=1e-5)


def test_rate_and_stride_change_as_those_of_an_atrous_convolution():
    conv, bn = conv_and_bn()
    made, images = FoldedConv2d(conv, bn, relu=False), torch.randn(1, 4, 9, 9)
    for rate, stride in [(2, 1), (1, 2), (9, 1)]:
        for layer in (conv, made):
            layer.set_rate(rate)
            layer.set_stride(stride)
        torch.testing.assert_close(made(images), bn(conv(images)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", [BasicUnit, BottleneckUnit])
@pytest.mark.parametrize("in_channels", [8, 16, 32])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_unit_answers_the_same_with_projection_and_identity(kind, in_channels, stride):
    unit = randomise(kind(in_channels, 8))
    unit.set_strides(1, stride)
    unit.set_rates(2, 2)
    images = torch.randn(2, in_channels, 9, 11)
    expected = unit(images)
    made = FoldedUnit(unit)
    assert len(made.main_path()) == len(unit.main_path())
    torch.testing.assert_close(made(images.clone()), expected, rtol=1e-4, atol=1e-5)
    made.set_strides(1, 1)
    unit.set_strides(1, 1)
    torch.testing.assert_close(made(images.clone()), unit(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("image_pooling", [True, False])
@pytest.mark.parametrize("batch", [1, 2])
def test_aspp_answers_the_same_and_takes_new_rates(image_pooling, batch):
    aspp = randomise(ASPP(8, 6, (2, 4, 12), image_pooling=image_pooling))
    made = FoldedASPP(aspp)
    assert isinstance(made, ASPP)
    features = torch.randn(batch, 8, 9, 7)
    for rates in [(2, 4, 12), (1, 2, 3)]:
        for module in (aspp, made):
            module.set_rates(rates)
        assert made.rates == rates
        torch.testing.assert_close(made(features), aspp(features), rtol=1e-4, atol=1e-5)


def test_a_sequence_folds_what_belongs_together_and_keeps_the_rest():
    last = nn.Conv2d(6, 3, 1)
    sequence = randomise(
        nn.Sequential(
            *conv_bn_relu(4, 6, 3),
            AtrousConv2d(6, 6),
            nn.BatchNorm2d(6),
            nn.MaxPool2d(2),
            nn.Dropout(0.5),
            BasicUnit(6, 6),
            last,
        )
    )
    images = torch.randn(2, 4, 9, 9)
    made = fold_sequence(copy.deepcopy(sequence))
    assert [type(m) for m in made] == [FoldedConv2d, FoldedConv2d, nn.MaxPool2d, FoldedUnit, nn.Conv2d]
    assert (made[0].relu, made[1].relu) == (True, False)
    torch.testing.assert_close(made(images), sequence(images), rtol=1e-4, atol=1e-5)
    assert not any(p.requires_grad for p in made[0].parameters())


def test_an_atrous_convolution_without_batch_norm_stays():
    made = fold_sequence(nn.Sequential(AtrousConv2d(4, 6), nn.ReLU()))
    assert [type(m) for m in made] == [AtrousConv2d, nn.ReLU]
