"""The band along outlines, the labels within reach, and the small CRF, each compared with its definition."""

import itertools

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.lessons.lesson14_conclusions.boundaries import (
    boundary_band,
    crf,
    mean_field_step,
    pair_weights,
    shifted,
    window,
    within_reach,
)


def random_masks(seed: int, height: int, width: int) -> torch.Tensor:
    return torch.randint(0, 3, (2, height, width), generator=torch.Generator().manual_seed(seed))


def brute_band(masks: Tensor, width: int) -> Tensor:
    """Return the band by its definition, pixel by pixel."""
    band = torch.zeros_like(masks, dtype=torch.bool)
    for n, y, x in itertools.product(*map(range, masks.shape)):
        seen = masks[n, max(y - width, 0) : y + width + 1, max(x - width, 0) : x + width + 1]
        band[n, y, x] = seen.min() < seen.max()
    return band


def dense_step(q: Tensor, unary: Tensor, weights: list[Tensor], offsets: list[tuple[int, int]]) -> Tensor:
    """Return the same as the step by one large matrix over all pairs of pixels, for small pictures."""
    n, _, height, width = q.shape
    ties = q.new_zeros(n, height * width, height * width)
    for weight, (down, right) in zip(weights, offsets, strict=True):
        for y in range(max(0, -down), min(height, height - down)):
            for x in range(max(0, -right), min(width, width - right)):
                ties[:, y * width + x, (y + down) * width + x + right] = weight[:, 0, y, x]
    message = q.flatten(2) @ ties.transpose(1, 2)  # (N, C, pixels)
    return F.softmax(unary + message.view_as(q), dim=1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 8), st.integers(1, 9), st.integers(1, 4))
def test_band_is_where_a_window_holds_two_classes(seed, height, width, reach):
    masks = random_masks(seed, height, width)
    assert torch.equal(boundary_band(masks, reach), brute_band(masks, reach))


def test_band_of_one_class_is_empty_and_grows_with_its_width():
    assert not boundary_band(torch.full((1, 5, 5), 7), 2).any()
    masks = torch.zeros(1, 9, 9, dtype=torch.long)
    masks[:, :, 5:] = 1
    for width in (1, 2, 3):
        assert boundary_band(masks, width)[0, 4].nonzero()[:, 0].tolist() == list(range(5 - width, 5 + width))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99), st.integers(1, 3))
def test_within_reach_is_where_the_window_holds_the_true_class(seed, reach):
    masks, prediction = random_masks(seed, 6, 7), random_masks(seed + 100, 6, 7)
    near = within_reach(masks, prediction, reach, 3)
    for n in range(2):
        for y in range(6):
            for x in range(7):
                seen = prediction[n, max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
                assert near[n, y, x] == (seen == masks[n, y, x]).any()


def test_shifted_looks_down_and_right_and_sees_nothing_beyond_the_picture():
    maps = torch.arange(12.0).view(1, 1, 3, 4)
    assert shifted(maps, 1, 2)[0, 0].tolist() == [[6, 7, 0, 0], [10, 11, 0, 0], [0, 0, 0, 0]]
    assert shifted(maps, -1, -2)[0, 0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 4, 5]]
    assert torch.equal(shifted(maps, 0, 0), maps)
    assert len(window(2)) == 24
    assert (0, 0) not in window(2)


def test_ties_are_symmetric_and_weaker_across_an_edge():
    pictures = torch.zeros(1, 3, 4, 6)
    pictures[..., 3:] = 90
    (right,) = pair_weights(pictures, [(0, 1)], reach=2.0, contrast=40.0)
    (left,) = pair_weights(pictures, [(0, -1)], reach=2.0, contrast=40.0)
    assert torch.allclose(right[..., :-1], left[..., 1:])
    assert (right[..., -1] == 0).all()
    assert right[0, 0, 0, 2] < 0.05 * right[0, 0, 0, 1]
    (blind,) = pair_weights(pictures, [(0, 1)], reach=2.0, contrast=None)
    assert blind[0, 0, 0, 2] == blind[0, 0, 0, 1] == right[0, 0, 0, 1]


def test_mean_field_step_is_that_of_the_matrix_of_all_pairs():
    generator = torch.Generator().manual_seed(0)
    unary = F.log_softmax(torch.randn(2, 3, 6, 5, generator=generator, dtype=torch.float64), 1)
    pictures = 255 * torch.rand(2, 3, 6, 5, generator=generator, dtype=torch.float64)
    offsets = window(2)
    weights = pair_weights(pictures, offsets, reach=1.5, contrast=100.0)
    q = unary.exp()
    for _ in range(3):
        want = dense_step(q, unary, weights, offsets)
        q = mean_field_step(q, unary, weights, offsets)
        assert torch.allclose(q, want, atol=1e-12)
        assert torch.allclose(q.sum(1), torch.ones_like(q[:, 0]))


def test_crf_without_ties_is_the_network():
    unary = F.log_softmax(torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(0)), 1)
    nothing = [torch.zeros(1, 1, 4, 4)] * 8
    assert torch.allclose(mean_field_step(unary.exp(), unary, nothing, window(1)), unary.exp(), atol=1e-6)
    assert torch.equal(crf(unary, nothing, window(1)), unary.argmax(1))
