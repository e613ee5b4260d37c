"""Tiles along both axes are the convolution, and each step's adjoint is its adjoint."""

from itertools import product

import pytest
import torch
from torch.nn import functional as F

from dlv3.fast.short_convolutions import OVERLAPPING, WHOLE
from dlv3.fast.tiling import Tiling, direct_products

CASES = [
    ((9, 11), 1, Tiling(OVERLAPPING[0], OVERLAPPING[1])),
    ((9, 11), 2, Tiling(OVERLAPPING[1], OVERLAPPING[0])),
    ((5, 4), 2, Tiling(WHOLE[1], WHOLE[0])),
    ((7, 13), 3, Tiling(WHOLE[1], OVERLAPPING[2])),
]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def values_of(tiling: Tiling, images: torch.Tensor, rate: int) -> torch.Tensor:
    """The images' part of the products: (tiles, points, C)."""
    n, C, H, W = images.shape
    rows, columns = tiling.tiles((H, W), rate)
    block = tiling.empty_outputs(images, n, (H, W), rate, 1)
    values = images.new_empty(n * rows * columns * rate**2, tiling.points, C)
    tiling.sum_samples(tiling.samples(images, block), values)
    return values


def outputs_of(
    tiling: Tiling, products: torch.Tensor, n: int, size: tuple[int, int], rate: int
) -> torch.Tensor:
    """(tiles, points, C_out) to (n, C_out, H, W)."""
    out = tiling.empty_outputs(products, n, size, rate, products.shape[-1])
    tiling.sum_products(products, out)
    return out.flatten(4, 6).flatten(1, 3)[:, : size[0], : size[1]].permute(0, 3, 1, 2)


def inner(a: torch.Tensor, b: torch.Tensor) -> float:
    return (a * b).sum().item()


def test_worked_example_of_four_samples_in_nine_products():
    tiling = Tiling(WHOLE[0], WHOLE[0])
    image = torch.tensor([[[[1.0, 2], [3, 4]]]]).double()
    weight = torch.arange(1.0, 10).view(1, 1, 3, 3).double()  # 1 2 3, 4 5 6, 7 8 9
    values = values_of(tiling, image, 1)
    assert values.shape == (1, 9, 1)
    assert values.flatten().tolist() == [10, 6, 4, 7, 4, 3, 3, 2, 1], "sums of samples, in both axes"
    products = values * tiling.at_points(weight).view(1, 9, 1)
    centre = 5 * 1 + 6 * 2 + 8 * 3 + 9 * 4
    outputs = outputs_of(tiling, products, 1, (2, 2), 1)
    assert outputs[0, 0, 0, 0] == centre
    torch.testing.assert_close(outputs, F.conv2d(image, weight, padding=1))


def test_worked_example_of_the_three_matrices():
    """The tables that the module opens with."""
    tiling = Tiling(WHOLE[0], WHOLE[0])
    image = torch.tensor([[[[1.0, 2], [3, 4]]]]).double()
    weight = torch.tensor([[[[1.0, 2, 0], [3, 4, 5], [0, 2, 1]]]]).double()
    values, at_points = values_of(tiling, image, 1), tiling.at_points(weight).view(1, 9, 1)
    assert values.flatten().tolist() == [10, 6, 4, 7, 4, 3, 3, 2, 1]
    assert at_points.flatten().tolist() == [4, 1, -1, -2, -2, -1, -2, -3, 0]
    products = values * at_points
    assert products.flatten().tolist() == [40, 6, -4, -14, -8, -3, -6, -6, 0]
    assert outputs_of(tiling, products, 1, (2, 2), 1).flatten().tolist() == [24, 19, 34, 30]


@pytest.mark.parametrize(("size", "rate", "tiling"), CASES)
def test_the_steps_together_are_the_convolution(size, rate, tiling):
    images, weight = noise(2, 3, *size), noise(4, 3, 3, 3, seed=1)
    values = values_of(tiling, images, rate)
    products = torch.einsum("tpi,poi->tpo", values, tiling.at_points(weight))
    found = outputs_of(tiling, products, len(images), size, rate)
    torch.testing.assert_close(
        found, F.conv2d(images, weight, padding=rate, dilation=rate), rtol=0, atol=1e-11
    )


@pytest.mark.parametrize(("size", "rate", "tiling"), CASES)
def test_adjoints_move_a_step_to_the_other_side_of_an_inner_product(size, rate, tiling):
    """<step(x), y> is <x, adjoint(y)> for any x and y."""
    images, weight = noise(2, 3, *size), noise(4, 3, 3, 3, seed=1)
    at_points = tiling.at_points(weight)
    of_points = noise(*at_points.shape, seed=2)
    assert inner(at_points, of_points) == pytest.approx(inner(weight, tiling.to_taps(of_points)))
    values = values_of(tiling, images, rate)
    of_values = noise(*values.shape, seed=3)
    assert inner(values, of_values) == pytest.approx(
        inner(images, tiling.to_images(of_values, images.shape, rate))
    )
    products, upstream = noise(*values.shape[:-1], 4, seed=4), noise(2, 4, *size, seed=5)
    outputs = outputs_of(tiling, products, 2, size, rate)
    assert inner(outputs, upstream) == pytest.approx(inner(products, tiling.to_products(upstream, rate)))


def test_some_rows_and_phases_read_what_they_read_among_all():
    tiling, size, rate = Tiling(OVERLAPPING[0], OVERLAPPING[0]), (14, 9), 2
    images = noise(1, 3, *size)
    whole = tiling.empty_outputs(images, 1, size, rate, 1)
    everything = tiling.samples(images, whole)  # (1, 3 * rows + 2, 2, ..., C_in)
    assert everything.shape[1] == 3 * 3 + 2
    for row, phase in product(range(3), range(2)):
        block = whole[:, row : row + 1, :, phase : phase + 1]
        some = tiling.samples(images, block, first=3 * row, phase=phase)
        assert torch.equal(some, everything[:, 3 * row : 3 * row + 5, phase : phase + 1])


def test_tiles_and_products_are_counted_in_each_phase():
    tiling = Tiling(OVERLAPPING[0], OVERLAPPING[3])  # tiles of 3 × 6 outputs, 5 × 8 points
    assert tiling.points == 40
    assert tiling.tiles((33, 33), 1) == (11, 6)
    assert tiling.products((33, 33), 1) == 11 * 6 * 40
    assert tiling.tiles((33, 33), 2) == (6, 3)
    assert tiling.products((33, 33), 2) == 6 * 3 * 4 * 40


def test_both_axes_have_the_scheme_of_that_which_wants_the_larger_tiles():
    assert Tiling.of((33, 33), 12) == Tiling(WHOLE[1], WHOLE[1])
    assert Tiling.of((33, 36), 18) == Tiling(WHOLE[0], WHOLE[0])
    assert Tiling.of((8, 33), 1) == Tiling.of((33, 8), 1) == Tiling(OVERLAPPING[3], OVERLAPPING[3])
    assert Tiling.of((4, 5), 2) == Tiling(WHOLE[1], WHOLE[1])
    for size in ((3, 4), (4, 3)):
        assert Tiling.of(size, 1, largest=3) == Tiling(OVERLAPPING[0], OVERLAPPING[0]), (
            "no phase is longer than a tile"
        )


def test_direct_products_are_the_taps_that_meet_the_map():
    for H, W, rate in product((1, 4, 7), (3, 6), (1, 2, 5, 9)):
        ones = torch.ones(1, 1, H, W)
        met = F.conv2d(ones, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)
        assert direct_products((H, W), rate) == met.sum()
