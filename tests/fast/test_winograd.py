"""Winograd's ways with fewer products are the convolution, at every rate and size, in whatever blocks."""

import copy
import pickle
from itertools import product

import pytest
import torch
from torch.nn import functional as F

from dlv3.atrous import AtrousConv2d, valid_weight_shares
from dlv3.fast import onednn, winograd
from dlv3.fast.folded import FoldedConv2d
from dlv3.fast.short_convolutions import OVERLAPPING, WHOLE
from dlv3.fast.tiling import Tiling
from dlv3.fast.winograd import WinogradFilter, pays

SCHEMES = (*OVERLAPPING, *WHOLE)
SIZES = ((1, 1), (4, 4), (5, 9), (17, 16), (7, 33))


def _name(scheme):
    return f"{scheme.tile}{'' if scheme.before else ' whole'}"


def _made(shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def _fits(scheme, side, rate):
    return bool(scheme.before) or -(-side // rate) <= scheme.tile


def _difference(ours, images, weight, rate):
    """Of the largest output."""
    exact = F.conv2d(images.double(), weight.double(), padding=rate, dilation=rate)
    assert ours.shape == exact.shape
    return ((ours - exact).abs().max() / exact.abs().max()).item()


def _direct(side, rate):
    """Products of the direct sum along an axis, from what the valid weights of Fig. 4 say."""
    shares = valid_weight_shares(side, rate)
    return (side**2 * sum(weights * share for weights, share in shares.items())) ** 0.5


def test_worked_example_of_a_row_at_rate_2():
    weight = torch.zeros(1, 1, 3, 3, dtype=torch.float64)
    weight[0, 0, 1] = torch.tensor([3.0, 4, 5])  # along the row alone
    row = torch.tensor([[[[1.0, 5, 2, 7]]]], dtype=torch.float64)
    ours = WinogradFilter(weight, Tiling(WHOLE[0], WHOLE[0])).convolve(row, 2)
    assert ours.flatten().tolist() == [14, 55, 11, 43]


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 12])
@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_convolution_in_float64(size, rate):
    images, weight = _made((2, 3, *size)), _made((5, 3, 3, 3), seed=1)
    vertical, horizontal = ([s for s in SCHEMES if _fits(s, side, rate)] for side in size)
    for v, h in product(vertical, horizontal):
        assert (
            _difference(WinogradFilter(weight, Tiling(v, h)).convolve(images, rate), images, weight, rate)
            < 1e-12
        )


@torch.no_grad()
@pytest.mark.parametrize(
    ("tile", "limit"),
    [("2 whole", 3e-6), ("3 whole", 3e-6), ("3", 5e-6), ("4", 3e-5), ("5", 3e-5), ("6", 3e-5)],
)
def test_in_float32_by_onednn_the_error_is_small(tile, limit):
    scheme = next(s for s in SCHEMES if _name(s) == tile)
    rate = 12 if not scheme.before else 2
    images, weight = (
        _made((3, 128, 2 * 12, 2 * 12), torch.float32),
        _made((128, 128, 3, 3), torch.float32, 1),
    )
    ours = WinogradFilter(weight, Tiling(scheme, scheme)).convolve(images, rate)
    assert _difference(ours, images, weight, rate) < limit


@torch.no_grad()
@pytest.mark.parametrize("rate", [1, 4])
@pytest.mark.parametrize(
    ("workspace", "tiles"), [(1, (12, 60)), (40_000, (12, 60)), (10**9, (4, 8)), (10**9, (1000,))]
)
def test_blocks_of_any_size_give_the_same_and_their_filters_one_layout(workspace, tiles, rate, monkeypatch):
    monkeypatch.setattr(winograd, "WORKSPACE", workspace)
    monkeypatch.setattr(winograd, "BLOCKS", tiles)
    images, weight = _made((5, 8, 30, 21), torch.float32), _made((8, 8, 3, 3), torch.float32, 1)
    made = WinogradFilter(weight, Tiling(OVERLAPPING[1], OVERLAPPING[0]))
    assert _difference(made.convolve(images, rate), images, weight, rate) < 3e-5
    assert len(made._packed) == 1


@torch.no_grad()
def test_filters_are_computed_once_and_packed_for_few_numbers_of_tiles(monkeypatch):
    made = WinogradFilter(_made((8, 8, 3, 3), torch.float32), Tiling.of((4, 4), 1))
    computed, packed = [], []
    at_points, pack = Tiling.at_points, onednn.pack
    monkeypatch.setattr(Tiling, "at_points", lambda *a: computed.append(1) or at_points(*a))
    monkeypatch.setattr(onednn, "pack", lambda *a: packed.append(a[1][2]) or pack(*a))
    for side in range(3, 100):
        made.convolve(torch.zeros(1, 8, side, side))
    assert len(computed) == 1, "the packed ones are copied"
    assert len(packed) == len(set(packed)) > 1
    assert set(packed) <= set(winograd.BLOCKS)


@torch.no_grad()
def test_zeros_fill_a_block_up_to_a_number_that_the_filter_is_packed_for(monkeypatch):
    seen = []
    multiply = WinogradFilter._multiply
    monkeypatch.setattr(WinogradFilter, "_multiply", lambda s, v: seen.append(len(v)) or multiply(s, v))
    made = WinogradFilter(_made((8, 8, 3, 3), torch.float32), Tiling(OVERLAPPING[3], OVERLAPPING[3]))
    for tiles, blocks in ((1, [12]), (13, [16]), (37, [48]), (60, [60]), (62, [72])):
        seen.clear()
        images = _made((1, 8, 6, 6 * tiles), torch.float32)  # one row of tiles, which is not divided
        ours = made.convolve(images)
        assert seen == blocks
        assert _difference(ours, images, made._weight, 1) < 3e-5


def test_it_pays_with_many_channels_and_little_beyond_the_rim():
    assert pays(512, 512, (33, 33), 2)
    assert pays(256, 256, (65, 65), 1)
    assert pays(2048, 256, (33, 33), 12)
    assert not pays(64, 64, (129, 129), 1), "with few channels the sums cost more than the products save"
    assert not pays(2048, 256, (1, 33), 2), "along one axis only the centre tap is left"
    assert not pays(2048, 256, (33, 33), 36)
    assert not pays(512, 512, (19, 19), 18), "one phase of two samples among those of one"
    assert not pays(512, 512, (9, 9), 1), "four tiles are not worth the reading of a filter of 64 points"
    assert pays(512, 512, (17, 17), 1)


@pytest.mark.parametrize(
    ("side", "rate", "products"), [(33, 1, 6 * 8), (33, 2, 3 * 8 * 2), (33, 12, 12 * 4), (33, 18, 18 * 3)]
)
def test_products_are_weighed_against_the_direct_sums_that_meet_the_map(side, rate, products, monkeypatch):
    monkeypatch.setattr(winograd, "SUMS", 0)
    monkeypatch.setattr(winograd, "READING", 0)
    share = (products / _direct(side, rate)) ** 2
    monkeypatch.setattr(winograd, "MAX_SHARE", share * 1.001)
    assert pays(128, 128, (side, side), rate)
    monkeypatch.setattr(winograd, "MAX_SHARE", share * 0.999)
    assert not pays(128, 128, (side, side), rate)


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
    folded(_made((1, 128, 2, 2), torch.float32))
    assert len(used) == 3, "with a residual, or on a map of the centre tap alone, the sum is direct"


@torch.no_grad()
def test_a_folded_convolution_keeps_few_filters_and_follows_its_weight():
    conv = FoldedConv2d(AtrousConv2d(128, 128, 3), torch.nn.BatchNorm2d(128).eval(), relu=False)
    for side in (33, 4, 5, 7, 3):
        conv._winograd.get(conv.weight, (side, side), 1)
    assert len(conv._winograd) == 3
    images = _made((1, 128, 33, 33), torch.float32)
    before = conv(images)
    conv.weight = torch.nn.Parameter(2 * conv.weight, requires_grad=False)
    torch.testing.assert_close(conv(images), 2 * before)
