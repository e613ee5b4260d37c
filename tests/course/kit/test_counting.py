"""Multiply-adds as counted are those of the formula."""

import torch
from torch import nn

from dlv3.course.kit.counting import multiply_adds


def test_a_convolution_has_one_multiply_add_for_each_weight_and_place():
    with torch.device("meta"):
        layer = nn.Conv2d(3, 5, 3, padding=2, dilation=2, bias=False)
        images = torch.empty(2, 3, 7, 9)
    assert multiply_adds(layer, images) == 2 * 5 * 3 * 9 * 7 * 9
