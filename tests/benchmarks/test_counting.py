"""Operations are torch's count, and the useful ones are those that meet a real value."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.counting import count
from benchmarks.inference import count_forward
from benchmarks.training import count_step


@pytest.mark.parametrize("rate", [1, 2, 6, 20])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_useful_operations_are_what_ones_add_up_to(kernel_size, stride, rate):
    images, weight = torch.ones(2, 3, 11, 14), torch.ones(5, 3, kernel_size, kernel_size)
    padding = rate * (kernel_size // 2)
    with torch.no_grad():
        out = F.conv2d(images, weight, None, stride, padding, rate)
        counted = count(lambda: F.conv2d(images, weight, None, stride, padding, rate))
    assert counted.useful == 2 * out.sum().item()  # each one that met a one added one
    assert counted.all == 2 * out.numel() * weight[0].numel()


def test_a_gradient_meets_each_pair_once_more_for_images_and_for_weights():
    images, weight = torch.ones(1, 2, 9, 9), torch.ones(4, 2, 3, 3, requires_grad=True)
    forward = count(lambda: F.conv2d(images, weight, padding=4, dilation=4))
    only_weights = count(lambda: F.conv2d(images, weight, padding=4, dilation=4).sum().backward())
    images.requires_grad_(True)
    both = count(lambda: F.conv2d(images, weight, padding=4, dilation=4).sum().backward())
    assert (only_weights.all, only_weights.useful) == (2 * forward.all, 2 * forward.useful)
    assert (both.all, both.useful) == (3 * forward.all, 3 * forward.useful)


def test_products_of_matrices_are_counted_as_they_are():
    linear = nn.Linear(6, 7)
    counted = count(lambda: linear(torch.ones(5, 6)))
    assert counted.all == counted.useful == 2 * 5 * 6 * 7


@pytest.mark.slow
def test_the_networks_operations_grow_with_batch_and_density():
    one, two = count_forward(16, (1, 3, 65, 65)), count_forward(16, (2, 3, 65, 65))
    assert (two.all, two.useful) == (2 * one.all, 2 * one.useful)
    dense = count_forward(8, (1, 3, 65, 65))
    assert dense.all > 2 * one.all
    assert 0.5 * dense.all < dense.useful < dense.all
    step = count_step(16, (2, 3, 65, 65))
    # The stem has no gradient for the images, so a step is a little less than three times the forward pass.
    assert 2.9 * two.all < step.all < 3 * two.all
    assert 2.9 * two.useful < step.useful < 3 * two.useful
