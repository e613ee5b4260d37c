"""Leaving out taps that meet nothing but padding changes neither outputs nor gradients."""

from itertools import product

import pytest
import torch
from layer_gradients import gradients, made
from torch.nn import functional as F

from dlv3.atrous import same_padding
from dlv3.fast.reached import reached_taps


def test_worked_example_of_two_samples_at_rate_2():
    samples = torch.tensor([[[[3.0, 5.0]]]])  # a, b
    weight = torch.arange(1.0, 10.0).view(1, 1, 3, 3)  # the middle row is u, v, w = 4, 5, 6
    reached, padding = reached_taps(weight, (1, 2), 2)
    assert (reached.tolist(), padding) == ([[[[5.0]]]], (0, 0))
    assert F.conv2d(samples, reached).tolist() == [[[[15.0, 25.0]]]]
    assert F.conv2d(samples, weight, padding=2, dilation=2).tolist() == [[[[15.0, 25.0]]]]


@pytest.mark.parametrize(
    ("size", "rate", "shape", "padding"),
    [
        ((9, 9), 8, (3, 3), (8, 8)),
        ((9, 9), 9, (1, 1), (0, 0)),
        ((9, 4), 4, (3, 1), (4, 0)),
        ((1, 7), 1, (1, 3), (0, 1)),
    ],
)
def test_a_tap_is_kept_while_it_lies_less_than_the_maps_side_away(size, rate, shape, padding):
    weight = torch.zeros(2, 3, 3, 3)
    reached, their_padding = reached_taps(weight, size, rate)
    assert (tuple(reached.shape[2:]), their_padding) == (shape, padding)
    assert (reached is weight) == (shape == (3, 3))


def test_outputs_and_gradients_are_those_of_the_whole_filter():
    sizes, kernel_sizes = ((9, 9), (9, 4), (1, 7), (1, 1)), (1, 3, 5)
    for size, kernel_size, rate, stride in product(sizes, kernel_sizes, (1, 3, 4, 5, 8, 9, 30), (1, 2)):
        case = f"{size=}, {kernel_size=}, {rate=}, {stride=}"
        images, weight = made((2, 2, *size), 0), made((3, 2, kernel_size, kernel_size), 1)
        plain = F.conv2d(images, weight, None, stride, same_padding(kernel_size, rate), rate)
        reached, padding = reached_taps(weight, size, rate)
        ours = F.conv2d(images, reached, None, stride, padding, rate)
        assert (ours - plain).abs().max() < 1e-12, case
        wanted = gradients(plain, images, weight)
        for our, their in zip(gradients(ours, images, weight), wanted, strict=True):
            assert (our - their).abs().max() < 1e-12, case
