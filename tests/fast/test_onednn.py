"""oneDNN's private operators are torch's convolution, and a torch without them gives the same answers."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from randomised import randomise
from torch.nn import functional as F

import dlv3
from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.fast import onednn

GEOMETRY = ((2, 2), (1, 1), (2, 2))
CONFIG = DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_rates=(2, 4, 6), aspp_channels=128)


@pytest.fixture(name="layer")
def layer_with_residual() -> tuple[torch.Tensor, ...]:
    """Images (2, 8, 9, 11) and a residual, channels last, a filter (8, 8, 3, 3) and a bias."""
    torch.manual_seed(0)
    images, residual = (
        torch.randn(2, 8, 9, 11).contiguous(memory_format=torch.channels_last) for _ in range(2)
    )
    return images, residual, torch.randn(8, 8, 3, 3), torch.randn(8)


@pytest.fixture(name="tried_again")
def forget_what_was_tried():
    onednn.works.cache_clear()
    yield
    onednn.works.cache_clear()


def without_namespace(monkeypatch):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())


def without_packing(monkeypatch):
    monkeypatch.delattr(torch._C._nn, "mkldnn_reorder_conv2d_weight")


def with_other_arguments(monkeypatch):
    def fewer(images, weight, bias, padding):
        raise AssertionError("never called so")

    monkeypatch.setattr(torch.ops.mkldnn, "_convolution_pointwise", fewer)


def with_another_meaning(monkeypatch):
    monkeypatch.setattr(
        torch.ops.mkldnn, "_convolution_pointwise", lambda images, *rest: torch.zeros_like(images)
    )


LACKING = [without_namespace, without_packing, with_other_arguments, with_another_meaning]


@torch.no_grad()
def test_fused_convolutions_are_torchs(layer):
    images, residual, weight, bias = layer
    plain = F.conv2d(images, weight, bias, padding=2, dilation=2)
    for filters in (weight, onednn.pack(weight, images.shape, GEOMETRY)):
        torch.testing.assert_close(onednn.convolve(images, filters, bias, GEOMETRY), plain)
        torch.testing.assert_close(onednn.convolve(images, filters, bias, GEOMETRY, relu=True), plain.relu())
        for relu in (False, True):
            summed = residual.clone(memory_format=torch.preserve_format)
            found = onednn.convolve_onto(summed, images, filters, bias, GEOMETRY, relu=relu)
            expected = residual + plain
            torch.testing.assert_close(found, expected.relu() if relu else expected)
            assert found.data_ptr() == summed.data_ptr()


@torch.no_grad()
def test_groups_are_convolved_apart(layer):
    images, _, weight, _ = layer
    weight = weight[:, :4]
    packed = onednn.pack(weight, images.shape, GEOMETRY, groups=2)
    expected = F.conv2d(images, weight, padding=2, dilation=2, groups=2)
    torch.testing.assert_close(onednn.convolve(images, packed, None, GEOMETRY, groups=2), expected)


def test_equal_layouts_have_equal_keys(layer):
    images, _, weight, _ = layer
    keys = [onednn.layout(onednn.pack(weight, images.shape, GEOMETRY)) for _ in range(2)]
    assert keys[0] == keys[1] is not None


@pytest.mark.filterwarnings("ignore:TF32")
def test_it_is_used_on_a_cpu_in_float32_without_gradients_only():
    images = torch.zeros(1, 2, 3, 3)
    assert not onednn.fuses(images), "gradients are on"
    with torch.no_grad():
        assert onednn.fuses(images) == onednn.works()
        assert not onednn.fuses(images.double())
        assert not onednn.fuses(images.to("meta"))
        with torch.backends.mkldnn.flags(enabled=False):
            assert not onednn.fuses(images)


@pytest.mark.parametrize("lacking", LACKING)
def test_a_torch_without_them_is_noticed(lacking, tried_again, monkeypatch):
    lacking(monkeypatch)
    with torch.no_grad():
        assert not onednn.fuses(torch.zeros(1, 2, 3, 3))


@pytest.mark.parametrize("lacking", LACKING)
def test_a_served_model_answers_the_same_without_them(lacking, tried_again, monkeypatch):
    torch.manual_seed(0)
    model = randomise(DeepLabV3(CONFIG))
    images = torch.randn(2, 3, 65, 97)
    with torch.no_grad():
        expected = model(images)
        fused = model.for_inference()(images)
        onednn.works.cache_clear()
        lacking(monkeypatch)
        served = model.for_inference()
        for _ in range(2):  # from the second time on weights would be packed
            plain = served(images)
    assert (plain - expected).abs().max() < 1e-5 * expected.abs().max()
    assert (plain - fused).abs().max() < 1e-5 * expected.abs().max()


def test_no_other_file_names_them():
    names = ("ops.mkldnn", "_C._nn", "to_mkldnn")
    files = [p for p in Path(dlv3.__file__).parent.rglob("*.py") if any(n in p.read_text() for n in names)]
    assert [p.name for p in files] == ["onednn.py"]
