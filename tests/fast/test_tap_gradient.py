"""The filter's gradient tap by tap is torch's, layer by layer, in float64."""

import pytest
import torch
from layer_gradients import gradients, made
from torch.nn import functional as F

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.atrous import AtrousConv2d
from dlv3.fast import for_training, tap_gradient

KERNELS = ((3, 3), (1, 3), (3, 1), (5, 5))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("rate", [1, 2, 4])
def test_gradients_are_torchs_in_float64(kernel, rate):
    images, weight = made((2, 3, 9, 11), 0), made((4, 3, *kernel), 1)
    padding = tuple(rate * (side // 2) for side in kernel)
    ours = tap_gradient.atrous_conv2d(images, weight, padding, rate)
    theirs = F.conv2d(images, weight, None, 1, padding, rate)
    assert torch.equal(ours, theirs)
    for our, their in zip(gradients(ours, images, weight), gradients(theirs, images, weight), strict=True):
        torch.testing.assert_close(our, their, rtol=0, atol=1e-12)


def test_they_are_the_derivatives():
    inputs = made((1, 2, 5, 4), 0), made((2, 2, 3, 3), 1)
    assert torch.autograd.gradcheck(lambda x, w: tap_gradient.atrous_conv2d(x, w, (2, 2), 2), inputs)


def test_only_what_is_asked_for_has_a_gradient():
    images, weight = made((1, 2, 5, 5), 0).detach(), made((2, 2, 3, 3), 1)
    tap_gradient.atrous_conv2d(images, weight, (4, 4), 4).sum().backward()
    assert images.grad is None
    assert weight.grad is not None


@pytest.mark.parametrize(("size", "rate"), [(33, 6), (33, 24), (9, 12), ((5, 20), 6), ((20, 5), 6)])
def test_a_wide_layer_has_torchs_gradient_at_every_rate(size, rate, monkeypatch):
    size = size if isinstance(size, tuple) else (size, size)
    conv = for_training(AtrousConv2d(256, 8, rate=rate))
    images = made((2, 256, *size), 0, torch.float32)
    used = []
    ours = tap_gradient.filter_gradient
    monkeypatch.setattr(tap_gradient, "filter_gradient", lambda *a: used.append(a) or ours(*a))
    found = gradients(conv(images), images, conv.weight)
    expected = gradients(F.conv2d(images, conv.weight, None, 1, rate, rate), images, conv.weight)
    for our, their in zip(found, expected, strict=True):
        assert (our - their).abs().max() < 1e-5 * their.abs().max()
    centre_alone = rate >= max(size)
    assert len(used) == (not centre_alone)


def test_it_stays_out_where_it_is_not_faster_or_not_wanted(monkeypatch):
    monkeypatch.setattr(tap_gradient, "MIN_RATE", 4)
    images, wide = torch.zeros(1, 256, 9, 9), torch.zeros(8, 256, 3, 3, requires_grad=True)
    assert tap_gradient.is_faster(images, wide, 4)
    assert not tap_gradient.is_faster(images, wide, 2)
    assert not tap_gradient.is_faster(images, wide[:, :, :1, :1], 4)
    assert not tap_gradient.is_faster(images, torch.zeros(8, 64, 3, 3, requires_grad=True), 4)
    assert not tap_gradient.is_faster(images, wide.detach(), 4)
    assert not tap_gradient.is_faster(images.double(), wide.double(), 4)
    with torch.no_grad():
        assert not tap_gradient.is_faster(images, wide, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert not tap_gradient.is_faster(images, wide, 4)


def test_a_whole_models_gradient_is_that_without_it(monkeypatch):
    config = DeepLabV3Config(num_classes=3, aspp_channels=8, dropout=0.0)
    torch.manual_seed(0)
    model = for_training(DeepLabV3(config)).train()
    images = torch.randn(2, 3, 129, 129)
    found, used = [], []
    ours = tap_gradient.filter_gradient
    monkeypatch.setattr(tap_gradient, "filter_gradient", lambda *a: used.append(a[-1]) or ours(*a))
    for rate in (4, 10**6):
        monkeypatch.setattr(tap_gradient, "MIN_RATE", rate)
        gradients = torch.autograd.grad(model(images).square().mean(), list(model.parameters()))
        found.append(torch.cat([gradient.flatten() for gradient in gradients]))
    assert (found[0] - found[1]).norm() < 1e-4 * found[1].norm()
    assert sorted(used) == [4, 6, 8], (
        "block4's second and third unit, and the one ASPP filter whose taps meet the map"
    )
