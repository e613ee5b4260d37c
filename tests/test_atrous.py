import ast
import itertools
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.export import Dim
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


# On a wide layer like this one, in float32, any shortcut for training's sake would show.
@pytest.fixture(name="wide")
def wide_layer() -> tuple[AtrousConv2d, torch.Tensor]:
    torch.manual_seed(0)
    return AtrousConv2d(256, 4, rate=6), torch.randn(1, 256, 9, 9)


def plain(weight: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return F.conv2d(images, weight, padding=6, dilation=6)


def call(layer: AtrousConv2d, weight: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    return torch.func.functional_call(layer, {"weight": weight}, (images,))


@pytest.mark.parametrize(("rate", "stride", "size"), [(1, 1, 4), (2, 1, 5), (4, 1, 4), (2, 2, 5)])
def test_layer_has_second_derivatives(rate, stride, size):
    torch.manual_seed(0)
    layer = AtrousConv2d(2, 2, rate=rate, stride=stride).double()
    images = torch.randn(1, 2, size, size, dtype=torch.float64, requires_grad=True)
    weight = layer.weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda w, x: call(layer, w, x), (weight, images))
    assert torch.autograd.gradgradcheck(lambda w, x: call(layer, w, x), (weight, images))


def test_a_wide_layers_gradient_penalty_is_plain_convolutions(wide):
    layer, images = wide
    images.requires_grad_()

    def penalty(outputs: torch.Tensor) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(outputs.square().sum(), images, create_graph=True)
        return gradient.square().sum()

    weight = layer.weight.detach().clone().requires_grad_()
    ours = torch.autograd.grad(penalty(layer(images)), layer.weight)[0]
    theirs = torch.autograd.grad(penalty(plain(weight, images)), weight)[0]
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * theirs.abs().max().item())


def test_torch_func_differentiates_a_wide_layer_forward_backward_and_in_batches(wide):
    layer, images = wide
    weight = layer.weight.detach()

    def loss(convolve):
        return lambda w, x: convolve(w, x).square().mean()

    def ours(w, x):
        return call(layer, w, x)

    expected = torch.func.grad(loss(plain))(weight, images)
    torch.testing.assert_close(torch.func.grad(loss(ours))(weight, images), expected)
    tangent = torch.randn_like(weight)
    forward = torch.func.jvp(lambda w: ours(w, images), (weight,), (tangent,))
    torch.testing.assert_close(forward, (plain(weight, images), plain(tangent, images)), rtol=1e-4, atol=1e-4)
    each = torch.stack([images, 2 * images])
    gradients = torch.vmap(torch.func.grad(loss(ours)), in_dims=(None, 0))(weight, each)  # one per image
    torch.testing.assert_close(gradients, torch.stack([expected, 4 * expected]))


@pytest.mark.parametrize(("rate", "size"), [(6, 9), (9, 9)])
def test_flop_counter_counts_every_tap_forward_and_twice_that_backward(rate, size):
    layer, images = AtrousConv2d(256, 4, rate=rate), torch.randn(1, 256, size, size, requires_grad=True)
    textbook = 2 * 256 * 4 * 9 * size**2  # two for a multiply-add
    with FlopCounterMode(display=False) as counter:
        outputs = layer(images)
    assert counter.get_total_flops() == textbook
    with FlopCounterMode(display=False) as counter:
        outputs.sum().backward()
    assert counter.get_total_flops() == 2 * textbook


@pytest.mark.parametrize(("rate", "stride"), [(6, 1), (18, 1), (2, 2)])
def test_layer_exports_with_any_batch_height_and_width(rate, stride):
    torch.manual_seed(0)
    layer = AtrousConv2d(2, 3, rate=rate, stride=stride).eval()
    side = {"min": 4, "max": 2048}
    sizes = {0: Dim("N", min=1, max=64), 2: Dim("H", **side), 3: Dim("W", **side)}
    exported = torch.export.export(layer, (torch.randn(2, 2, 9, 33),), dynamic_shapes=(sizes,)).module()
    for size in [(1, 2, 4, 4), (3, 2, 65, 7), (2, 2, 17, 130)]:
        images = torch.randn(size)
        torch.testing.assert_close(exported(images), layer(images))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_layer_traced_on_a_small_map_is_the_same_on_large_ones():
    torch.manual_seed(0)
    layer = AtrousConv2d(2, 3, rate=9)
    traced = torch.jit.trace(layer, torch.randn(1, 2, 9, 9))
    for side in (17, 33):
        images = torch.randn(2, 2, side, side)
        torch.testing.assert_close(traced(images), layer(images))


def test_layer_uses_nothing_but_torch_and_the_checks_of_fields():
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(ast.parse(Path(atrous.__file__).read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported == {"torch", "torch.nn", "dlv3.fields"}
