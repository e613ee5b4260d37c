"""Winograd's F(4×4, 3×3) is the convolution, at every rate and size, in whatever blocks it is computed."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional as F

from dlv3 import winograd
from dlv3.atrous import AtrousConv2d, valid_weight_shares
from dlv3.folded import FoldedConv2d
from dlv3.packed import PACKED_SIZES
from dlv3.winograd import WinogradFilter, pays

SIZES = ((1, 1), (4, 4), (5, 9), (17, 16), (7, 33))


def _made(shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 12])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_convolution_in_float64(size, rate):
    images, weight = _made((2, 3, *size)), _made((5, 3, 3, 3), seed=1)
    ours = WinogradFilter(weight).convolve(images, rate)
    torch.testing.assert_close(
        ours, F.conv2d(images, weight, padding=rate, dilation=rate), rtol=0, atol=1e-12
    )
    assert ours.shape == (2, 5, *size)


@torch.no_grad()
@pytest.mark.parametrize("rate", [1, 2])
def test_in_float32_by_onednn_the_error_is_small(rate):
    images, weight = _made((3, 128, 17, 21), torch.float32), _made((128, 128, 3, 3), torch.float32, 1)
    exact = F.conv2d(images.double(), weight.double(), padding=rate, dilation=rate)
    ours = WinogradFilter(weight).convolve(images, rate)
    assert (ours - exact).abs().max() < 3e-5 * exact.abs().max()


@torch.no_grad()
@pytest.mark.parametrize("workspace", [1, 40_000, 10**9])
def test_blocks_of_any_size_give_the_same_and_are_packed_for_one_size(workspace, monkeypatch):
    monkeypatch.setattr(winograd, "WORKSPACE", workspace)
    images, weight = _made((5, 8, 30, 21), torch.float32), _made((8, 8, 3, 3), torch.float32, 1)
    made = WinogradFilter(weight)
    ours = made.convolve(images, 1)
    exact = F.conv2d(images.double(), weight.double(), padding=1)
    assert (ours - exact).abs().max() < 3e-5 * exact.abs().max()
    assert len(made._packed) == 1


@torch.no_grad()
def test_few_packed_filters_are_kept():
    made = WinogradFilter(_made((8, 8, 3, 3), torch.float32))
    for side in (4, 8, 12, 16):
        made.convolve(_made((1, 8, side, side), torch.float32), 1)
    assert len(made._packed) == PACKED_SIZES


def test_it_pays_with_many_channels_and_little_beyond_the_rim():
    assert pays(512, 512, (33, 33), 2)
    assert pays(256, 256, (65, 65), 1)
    assert not pays(64, 64, (129, 129), 1)
    assert not pays(2048, 256, (33, 33), 12), "phases of 3 samples fill no tile of 4"
    assert not pays(2048, 256, (33, 33), 36), "only the centre tap is left"


@pytest.mark.parametrize(("size", "rate"), [(33, 2), (33, 18), (9, 12)])
def test_the_direct_sums_that_it_is_compared_with_are_those_that_meet_the_map(size, rate, monkeypatch):
    """`pays` weighs 36 products a tile against the taps of Fig. 4."""
    shares = valid_weight_shares(size, rate)
    direct = size**2 * sum(weights * share for weights, share in shares.items())
    of_phase = -(-size // rate)
    tiles = -(-of_phase // 4) * rate
    share = (6 * tiles) ** 2 / direct
    monkeypatch.setattr(winograd, "MAX_SHARE", share * 1.001)
    assert pays(128, 128, (size, size), rate)
    monkeypatch.setattr(winograd, "MAX_SHARE", share * 0.999)
    assert not pays(128, 128, (size, size), rate)


@torch.no_grad()
def test_a_folded_convolution_uses_it_where_it_pays_and_copies_and_pickles(monkeypatch):
    conv = AtrousConv2d(128, 128, 3, rate=2)
    bn = torch.nn.BatchNorm2d(128).eval()
    bn.running_mean.normal_()
    bn.running_var.uniform_(0.5, 2)
    folded = FoldedConv2d(conv, bn, relu=True)
    images = _made((2, 128, 33, 33), torch.float32)
    exact = F.relu(bn(conv(images)))
    used = []
    convolve = WinogradFilter.convolve
    monkeypatch.setattr(WinogradFilter, "convolve", lambda *a: used.append(a) or convolve(*a))
    for made in (folded, copy.deepcopy(folded), pickle.loads(pickle.dumps(folded))):
        ours = made(images)
        assert (ours - exact).abs().max() < 3e-5 * exact.abs().max()
        assert (ours >= 0).all()
    assert len(used) == 3
    folded(images, residual=torch.zeros_like(exact))
    folded(_made((1, 128, 3, 3), torch.float32))
    assert len(used) == 3, "with a residual, or on a map smaller than its tiles, the sum is direct"
