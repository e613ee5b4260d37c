import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from dlv3 import atrous
from dlv3.atrous import AtrousConv2d

sizes = st.integers(1, 40)
rates = st.integers(1, 12)


def taps(kernel_size: int, rate: int) -> list[int]:
    return [k * rate for k in range(kernel_size)]


@given(kernel_size=st.integers(1, 9), rate=rates)
def test_effective_kernel_size_is_the_span_of_the_taps(kernel_size, rate):
    positions = taps(kernel_size, rate)
    assert atrous.effective_kernel_size(kernel_size, rate) == positions[-1] - positions[0] + 1


@given(
    size=sizes, kernel_size=st.integers(1, 5), rate=rates, stride=st.integers(1, 4), padding=st.integers(0, 8)
)
def test_output_size_is_what_conv2d_gives_and_refuses_what_it_refuses(
    size, kernel_size, rate, stride, padding
):
    image = torch.zeros(1, 1, 1, size)
    weight = torch.zeros(1, 1, 1, kernel_size)
    try:
        expected = F.conv2d(
            image, weight, stride=(1, stride), padding=(0, padding), dilation=(1, rate)
        ).shape[3]
    except RuntimeError:
        with pytest.raises(ValueError, match="spans"):
            atrous.output_size(size, kernel_size, rate, stride, padding)
    else:
        assert atrous.output_size(size, kernel_size, rate, stride, padding) == expected


@given(size=sizes, kernel_size=st.sampled_from([1, 3, 5, 7]), rate=rates)
def test_same_padding_keeps_the_size(size, kernel_size, rate):
    padding = atrous.same_padding(kernel_size, rate)
    assert atrous.output_size(size, kernel_size, rate, padding=padding) == size


def test_same_padding_of_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size=4: only an odd kernel"):
        atrous.same_padding(4, 2)


@given(size=st.integers(1, 30), rate=st.integers(1, 35))
def test_valid_weight_shares_are_a_count_over_all_positions(size, rate):
    count = dict.fromkeys((9, 6, 4, 2, 1), 0)
    for y, x in itertools.product(range(size), repeat=2):
        inside = [
            0 <= y + dy < size and 0 <= x + dx < size for dy in (-rate, 0, rate) for dx in (-rate, 0, rate)
        ]
        count[sum(inside)] += 1
    assert atrous.valid_weight_shares(size, rate) == {n: c / size**2 for n, c in count.items()}


@given(size=st.integers(1, 30), rate=st.integers(1, 35))
def test_counted_valid_weights_give_the_same_shares(size, rate):
    counts = atrous.count_valid_weights(size, rate)
    shares = atrous.valid_weight_shares(size, rate)
    assert {n: (counts == n).double().mean().item() for n in shares} == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "percent"), [(6, 66.5), (12, 39.8), (18, 19.9), (24, 6.8), (65, 0.0), (80, 0.0)]
)
def test_nine_weight_share_on_the_map_of_figure_4(rate, percent):
    assert round(100 * atrous.valid_weight_shares(65, rate)[9], 1) == percent


@pytest.mark.parametrize("rate", [65, 80])
def test_a_rate_of_the_map_side_or_more_leaves_the_centre_weight(rate):
    assert atrous.valid_weight_shares(65, rate) == {9: 0, 6: 0, 4: 0, 2: 0, 1: 1}
    image, weight = torch.randn(1, 2, 65, 65), torch.randn(3, 2, 3, 3)
    whole = F.conv2d(image, weight, padding=rate, dilation=rate)
    torch.testing.assert_close(whole, F.conv2d(image, weight[:, :, 1:2, 1:2]))


@given(
    size=st.tuples(st.integers(1, 17), st.integers(1, 17)),
    kernel_size=st.sampled_from([1, 3, 5]),
    rate=st.integers(1, 6),
)
@settings(deadline=None)
def test_atrous_convolution_is_ordinary_convolution_on_interleaved_samples(size, kernel_size, rate):
    torch.manual_seed(0)
    images = torch.randn(2, 3, *size, dtype=torch.float64)
    weight = torch.randn(4, 3, kernel_size, kernel_size, dtype=torch.float64)
    expected = F.conv2d(images, weight, padding=atrous.same_padding(kernel_size, rate), dilation=rate)
    torch.testing.assert_close(atrous.atrous_conv2d_by_phases(images, weight, rate), expected)


@given(size=st.tuples(st.integers(1, 17), st.integers(1, 17)), rate=st.integers(1, 6))
def test_joining_phases_undoes_splitting_them(size, rate):
    images = torch.arange(2 * 3 * size[0] * size[1]).reshape(2, 3, *size)
    assert torch.equal(atrous.join_phases(atrous.split_phases(images, rate), rate, size), images)


def test_worked_example_of_a_100_pixel_map():
    image = torch.randn(1, 1, 100, 100)
    weight = torch.randn(1, 1, 7, 7)
    pooled = F.max_pool2d(image, 2, 2)
    assert pooled.shape[2:] == (50, 50)
    convolved = F.conv2d(pooled, weight)
    assert convolved.shape[2:] == (44, 44) == (atrous.output_size(50, 7, rate=1),) * 2
    assert F.interpolate(convolved, scale_factor=2).shape[2:] == (88, 88)
    assert atrous.effective_kernel_size(7, 2) == 13
    dense = F.conv2d(image, weight, dilation=2)
    assert dense.shape[2:] == (88, 88) == (atrous.output_size(100, 7, rate=2),) * 2


@pytest.mark.parametrize(
    "call",
    [
        lambda: atrous.effective_kernel_size(0, 1),
        lambda: atrous.effective_kernel_size(3, 0),
        lambda: atrous.effective_kernel_size(3, 1.5),
        lambda: atrous.effective_kernel_size(3, True),
        lambda: atrous.output_size(0, 3, 1),
        lambda: atrous.output_size(9, 3, 1, stride=0),
        lambda: atrous.output_size(9, 3, 1, padding=-1),
        lambda: atrous.valid_weight_shares(65, 0),
        lambda: atrous.split_phases(torch.zeros(1, 1, 4, 4), 0),
    ],
)
def test_bad_numbers_are_refused_by_name(call):
    with pytest.raises(
        ValueError, match=r"(kernel_size|rate|size|stride|padding)=.* expected a whole number"
    ):
        call()


def test_an_effective_kernel_that_does_not_fit_says_what_would():
    with pytest.raises(ValueError, match="spans 13: lower the rate, or pad by at least 2"):
        atrous.output_size(10, 7, 2)
    assert atrous.output_size(10, 7, 2, padding=2) == 2


def test_layer_changes_rate_and_stride_in_place_and_keeps_its_weights():
    layer = AtrousConv2d(3, 5, rate=1)
    before = layer.weight.detach().clone()
    images = torch.randn(2, 3, 20, 23)
    for rate, stride in [(2, 1), (7, 2), (30, 1)]:
        layer.set_rate(rate)
        layer.set_stride(stride)
        expected = F.conv2d(images, before, padding=rate, dilation=rate, stride=stride)
        assert torch.equal(layer(images), expected)
        assert (layer.rate, layer.stride) == (rate, (stride, stride))
    assert torch.equal(layer.weight, before)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


@pytest.mark.parametrize("size", [(9, 9), (9, 4), (1, 7), (1, 1)])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("rate", [1, 3, 4, 5, 8, 9, 30])
@pytest.mark.parametrize("stride", [1, 2])
def test_leaving_out_taps_that_never_meet_the_map_changes_nothing(size, kernel_size, rate, stride):
    torch.manual_seed(0)
    layer = AtrousConv2d(2, 3, kernel_size, rate=rate, stride=stride).double()
    images = torch.randn(2, 2, *size, dtype=torch.float64, requires_grad=True)
    padding = atrous.same_padding(kernel_size, rate)
    plain = F.conv2d(images, layer.weight, None, stride, padding, rate)
    ours = layer(images)
    torch.testing.assert_close(ours, plain, rtol=0, atol=1e-12)
    upstream = torch.randn_like(plain)
    wanted = torch.autograd.grad(plain, (images, layer.weight), upstream)
    torch.testing.assert_close(
        torch.autograd.grad(ours, (images, layer.weight), upstream), wanted, rtol=0, atol=1e-12
    )


def test_a_filter_as_wide_as_the_map_costs_what_a_1x1_costs():
    layer, images = AtrousConv2d(2, 3, rate=9), torch.randn(1, 2, 9, 9)
    with FlopCounterMode(display=False) as counter:
        layer(images)
    assert counter.get_total_flops() == 2 * 2 * 3 * 9 * 9
