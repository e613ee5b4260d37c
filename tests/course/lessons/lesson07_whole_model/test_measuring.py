"""Measured prices are those that can be counted by hand on a small chain of 1×1 convolutions."""

import pytest
import torch
from torch import nn

from dlv3.course.lessons.lesson07_whole_model import measuring

SIZE, CHANNELS = 8, 4
MAP = 4 * CHANNELS * SIZE**2 / 2**20  # MiB


class Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, CHANNELS, 1, bias=False)
        for i in range(1, 5):
            self.add_module(f"layer{i}", nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False))


class Chain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Body()
        aspp = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False), nn.Dropout(0.5))
        self.classifier = nn.Sequential(aspp, nn.Conv2d(CHANNELS, 2, 1, bias=False))


def test_each_part_computes_its_products_and_keeps_what_it_reads():
    prices = measuring.price_of(Chain, SIZE)
    assert list(prices) == ["stem", "block1", "block2", "block3", "block4", "ASPP", "logits"]
    adds, kept = zip(*prices.values(), strict=True)
    square = CHANNELS**2 * SIZE**2 / 1e9
    assert adds == pytest.approx([3 * CHANNELS * SIZE**2 / 1e9, *[square] * 5, 2 * CHANNELS * SIZE**2 / 1e9])
    assert kept[:6] == pytest.approx([0, *[MAP] * 5])  # the picture itself is left out
    assert kept[6] == pytest.approx(
        MAP + MAP / 2
    )  # what the classifier reads, and a value per class and pixel
    assert measuring.sums_of(prices) == pytest.approx((sum(adds), sum(kept)))


def test_table_has_a_line_a_part_and_the_sum():
    prices = {"stem": (1.0, 2.0), "logits": (3.0, 40.0)}
    *_, stem, logits, whole = measuring.price_table(prices, prices).splitlines()
    assert (stem.split(), logits.split()) == (
        ["stem", "1.0", "1.0", "2", "2"],
        ["logits", "3.0", "3.0", "40", "40"],
    )
    assert whole.split() == ["all", "4.0", "4.0", "42", "42"]


def test_lines_of_a_class_are_those_of_its_methods_and_its_first():
    def function() -> int:
        return torch.arange(3).sum().item()

    assert measuring.lines_of(function) == 2
    assert measuring.lines_of(Body) == 1 + 5
