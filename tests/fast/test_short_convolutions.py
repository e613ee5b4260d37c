"""Short convolutions are the convolution."""

from itertools import product

import pytest
import torch

from dlv3.fast.short_convolutions import OVERLAPPING, TILES, WHOLE, Scheme, scheme_for

SCHEMES = (*OVERLAPPING, *WHOLE)


def name_of(scheme: Scheme) -> str:
    return f"{scheme.tile}{'' if scheme.before else ' whole'}"


def matrices(scheme: Scheme) -> tuple[torch.Tensor, ...]:
    """A, G and B of outputs = A ((G taps) * (B samples))."""
    return tuple(
        torch.tensor(matrix, dtype=torch.float64)
        for matrix in (scheme.of_products, scheme.of_taps, scheme.of_samples)
    )


def test_worked_example_of_two_samples_in_three_products():
    A, G, B = matrices(WHOLE[0])
    samples, taps = torch.tensor([1.0, 2]).double(), torch.tensor([3.0, 4, 5]).double()
    products = (G @ taps) * (B @ samples)
    assert products.tolist() == [12, 2, -1], "v (a + b), (w - v) b, (u - v) a"
    assert (A @ products).tolist() == [14, 11], "v a + w b = 4 + 10 and u a + v b = 3 + 8"


def test_worked_example_of_three_samples_in_four_products():
    A, G, B = matrices(WHOLE[1])
    samples, taps = torch.tensor([1.0, 2, 3]).double(), torch.tensor([3.0, 4, 5]).double()
    outputs = A @ ((G @ taps) * (B @ samples))
    assert [round(v, 12) for v in outputs.tolist()] == [4 + 10, 3 + 8 + 15, 6 + 12]


@pytest.mark.parametrize("scheme", SCHEMES, ids=name_of)
def test_along_an_axis_the_scheme_is_the_convolution(scheme):
    """A ((G w) * (B d)) for all taps w and samples d."""
    A, G, B = matrices(scheme)
    # The part of each output that each tap makes of each sample.
    found = torch.einsum("op,pt,ps->ots", A, G, B)
    expected = torch.zeros_like(found)
    for output, tap in product(range(scheme.tile), range(3)):
        sample = output + tap - 1 + scheme.before
        if 0 <= sample < B.shape[1]:
            expected[output, tap, sample] = 1
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    assert scheme.points < 3 * scheme.tile - 2 * (not scheme.before)


def test_a_tile_with_neighbours_takes_two_products_more_than_outputs():
    assert [(scheme.tile, scheme.points) for scheme in OVERLAPPING] == [(tile, tile + 2) for tile in TILES]
    assert [(scheme.tile, scheme.points) for scheme in WHOLE] == [(2, 3), (3, 4)]


def test_nearly_all_maps_have_one_scheme_and_short_phases_the_smallest_tile_that_holds_them():
    assert {
        scheme_for(side, rate).tile for side in range(9, 200) for rate in (1, 2, 3) if side > 8 * rate
    } == {6}
    assert scheme_for(33, 12) == WHOLE[1]
    assert scheme_for(33, 18) == WHOLE[0]
    assert scheme_for(12, 4) == WHOLE[1], "with what its longer phases need"
    assert [scheme_for(side, 1).tile for side in range(4, 13)] == [4, 5, 6, 4, 4, 6, 6, 6, 6]
    assert [scheme_for(8 * side, 8).tile for side in range(4, 13)] == [4, 5, 6, 4, 4, 6, 6, 6, 6]
    assert [scheme_for(side, 1, largest=3).tile for side in (4, 5, 6, 33)] == [3, 3, 3, 3]
    assert [scheme_for(side, 1, largest=3).before for side in (2, 3, 4)] == [0, 0, 1]
