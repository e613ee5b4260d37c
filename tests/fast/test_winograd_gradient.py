"""Training's convolutions with fewer multiplications are torch's, forward and backward, layer by layer, in float64."""

import pytest
import torch
from layer_gradients import gradients, made
from randomised import randomise
from torch.nn import functional as F

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.atrous import AtrousConv2d
from dlv3.fast import for_training, winograd_gradient
from dlv3.fast.tiling import Tiling, direct_products
from dlv3.fast.winograd_gradient import atrous_conv2d, is_faster

SIZES = ((1, 1), (2, 3), (9, 11), (12, 5), (17, 17))


@pytest.fixture(autouse=True)
def _as_on_the_processor_it_was_measured_on(monkeypatch):
    monkeypatch.setattr(winograd_gradient, "SUPPORTED", True)


def test_worked_example_of_two_outputs():
    samples = torch.tensor([[[[1.0, 2]]]], dtype=torch.float64)
    weight = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    weight[0, 0, 1] = torch.tensor([3.0, 4, 5])  # along the row alone
    outputs = atrous_conv2d(samples, weight.requires_grad_(), 1)
    assert outputs.flatten().tolist() == [14, 11]
    (of_weight,) = torch.autograd.grad(outputs, weight, torch.tensor([[[[10.0, 1]]]], dtype=torch.float64))
    assert of_weight[0, 0, 1].tolist() == [1, 12, 20]


@pytest.mark.parametrize("largest", [3, 6])
@pytest.mark.parametrize("rate", [1, 2, 4, 6])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_outputs_and_gradients_are_torchs_in_float64(size, rate, largest, monkeypatch):
    monkeypatch.setattr(winograd_gradient, "LARGEST_TILE", largest)
    monkeypatch.setattr(winograd_gradient, "TILES_AT_ONCE", 8)  # of the five images some at a time
    images, weight = made((5, 3, *size), 0), made((4, 3, 3, 3), 1)
    ours, theirs = atrous_conv2d(images, weight, rate), F.conv2d(images, weight, None, 1, rate, rate)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    for our, their in zip(gradients(ours, images, weight), gradients(theirs, images, weight), strict=True):
        torch.testing.assert_close(our, their, rtol=0, atol=1e-11)


@pytest.mark.parametrize("rate", [1, 2])
def test_they_are_the_derivatives(rate):
    inputs = made((2, 2, 5, 4), 0), made((2, 2, 3, 3), 1)
    assert torch.autograd.gradcheck(lambda x, w: atrous_conv2d(x, w, rate), inputs)


def test_only_what_is_asked_for_has_a_gradient():
    images, weight = made((1, 2, 5, 5), 0), made((2, 2, 3, 3), 1)
    atrous_conv2d(images.detach(), weight, 1).sum().backward()
    assert images.grad is None
    atrous_conv2d(images, weight.detach(), 1).sum().backward()
    assert images.grad is not None


@pytest.mark.parametrize(
    ("width", "outputs", "side", "rate"), [(256, 256, 17, 1), (512, 256, 17, 2), (256, 256, 17, 6)]
)
def test_in_float32_they_are_as_near_as_the_direct_sum(width, outputs, side, rate):
    images, weight = (
        made((2, width, side, side), 0, torch.float32),
        made((outputs, width, 3, 3), 1, torch.float32),
    )

    def found(convolve, *inputs):
        found = convolve(*inputs)
        upstream = torch.randn(found.shape, generator=torch.Generator().manual_seed(9)).to(found.dtype)
        return found, *torch.autograd.grad(found, inputs, upstream)

    def direct(images, weight):
        return F.conv2d(images, weight, None, 1, rate, rate)

    exact = found(direct, images.double(), weight.double())
    for ours, expected in zip(
        found(lambda x, w: atrous_conv2d(x, w, rate), images, weight), exact, strict=True
    ):
        assert (ours - expected).abs().max() < 1e-5 * expected.abs().max()


def test_a_wide_layer_uses_it_and_follows_its_rate(monkeypatch):
    used = []
    monkeypatch.setattr(winograd_gradient, "atrous_conv2d", lambda *a: used.append(a[2]) or atrous_conv2d(*a))
    conv = for_training(AtrousConv2d(256, 256))
    images = made((4, 256, 17, 17), 0, torch.float32)
    for rate in (1, 2, 6, 18):
        conv.set_rate(rate)
        expected = F.conv2d(images, conv.weight, None, 1, rate, rate)
        assert (conv(images) - expected).abs().max() < 1e-5 * expected.abs().max()
    assert used == [1, 2, 6], "at rate 18 the centre tap alone is left"
    conv.set_rate(1)
    conv.set_stride(2)
    conv(images)
    assert len(used) == 3


def test_it_stays_out_where_it_is_not_faster_or_not_wanted(monkeypatch):
    images, wide = torch.zeros(4, 256, 17, 17), torch.zeros(256, 256, 3, 3, requires_grad=True)
    assert is_faster(images, wide, 1)
    assert not is_faster(images, wide, 17)
    assert not is_faster(images, wide[:, :, :1, :1], 1)
    assert not is_faster(images[:1, :, :5, :5], wide, 1), "for few tiles the filter costs more than they save"
    assert not is_faster(torch.zeros(4, 32, 65, 65), torch.zeros(32, 32, 3, 3, requires_grad=True), 1)
    assert not is_faster(images, wide.detach(), 1)
    assert not is_faster(images.double(), wide.double(), 1)
    with torch.no_grad():
        assert not is_faster(images, wide, 1)
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_faster(images, wide, 1)
    monkeypatch.setattr(winograd_gradient, "SUPPORTED", False)
    assert not is_faster(images, wide, 1)


@pytest.mark.parametrize(("side", "rate", "share"), [(17, 6, (24 / 39) ** 2), (17, 2, (30 / 47) ** 2)])
def test_how_many_products_are_left(side, rate, share):
    """Phases of three samples take four instead of seven, and of nine fifteen instead of twenty-five."""
    size = (side, side)
    assert Tiling.of(size, rate, 3).products(size, rate) / direct_products(size, rate) == pytest.approx(share)


def test_a_whole_models_gradient_is_that_without_it(monkeypatch):
    config = DeepLabV3Config(num_classes=3, dropout=0.0)
    torch.manual_seed(0)
    # In evaluation mode, because a batch's own statistics would enlarge every rounding.
    model = for_training(randomise(DeepLabV3(config)).eval())
    images = torch.randn(2, 3, 129, 129)
    labels = torch.randint(3, (2, 129, 129))
    used, gradients = [], []
    monkeypatch.setattr(winograd_gradient, "atrous_conv2d", lambda *a: used.append(a[2]) or atrous_conv2d(*a))
    for share in (10.0, 0.0):  # everywhere, and nowhere
        monkeypatch.setattr(winograd_gradient, "MAX_SHARE", share)
        loss = F.cross_entropy(model(images), labels)
        found = torch.autograd.grad(loss, [p for p in model.parameters() if p.requires_grad])
        gradients.append(torch.cat([gradient.flatten() for gradient in found]).double())
    assert {1, 2, 4, 6} <= set(used)
    ours, theirs = gradients
    assert (ours - theirs).norm() < 1e-4 * theirs.norm()
