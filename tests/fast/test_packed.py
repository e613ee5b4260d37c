"""Packed weights are kept by layout: few copies, the right one for each size, none where packing would not pay."""

import copy
import pickle

import pytest
import torch
from torch.nn import functional as F

from dlv3.fast import onednn, packed
from dlv3.fast.packed import COPIES, PackedWeights

GEOMETRY = ((1, 1), (1, 1), (1, 1))
WEIGHT = torch.randn(8, 8, 3, 3, generator=torch.Generator().manual_seed(0))


def size(side: int) -> torch.Size:
    return torch.Size((1, 8, side, side))


@pytest.fixture(name="layouts")
def made_up_layouts(monkeypatch) -> list[int]:
    """Weights packed for a size are the plain ones; sizes of one tens digit share a layout. The sides packed for."""
    asked: list[int] = []

    def pack(weight, size, geometry, groups):
        asked.append(size[2])
        return weight + size[2]

    monkeypatch.setattr(onednn, "pack", pack)
    monkeypatch.setattr(onednn, "layout", lambda made: bytes([int(made.flatten()[0]) // 10]))
    return asked


def test_worked_example_of_blocks_of_two_rows():
    weight, inputs = torch.arange(1, 9).view(4, 2), torch.tensor([10, 1])
    packed = weight.view(2, 2, 2).transpose(1, 2)  # (blocks, inputs, rows of a block)
    assert packed.flatten().tolist() == [1, 3, 2, 4, 5, 7, 6, 8]
    sums = torch.stack([10 * first + second for first, second in packed])
    assert sums.tolist() == [[12, 34], [56, 78]]
    assert sums.flatten().equal(weight @ inputs)


@torch.no_grad()
def test_packed_weights_convolve_as_plain_ones():
    weights = PackedWeights()
    for side in (5, 33, 65, 5):
        images = torch.randn(size(side))
        made = weights.get(lambda: WEIGHT, images.shape, GEOMETRY)
        expected = F.conv2d(images, WEIGHT, padding=1)
        torch.testing.assert_close(
            onednn.convolve(images, made, None, GEOMETRY), expected, rtol=1e-4, atol=1e-4
        )


def test_sizes_of_one_layout_share_a_copy(layouts):
    weights, zero = PackedWeights(), torch.zeros(1)
    for side in (31, 33, 65):
        weights.get(lambda: zero, size(side), GEOMETRY)
    assert len(weights) == 2
    assert layouts == [31, 33, 65]
    assert weights.get(lambda: zero, size(33), GEOMETRY).item() == 31, "the copy made for the first of them"
    assert layouts == [31, 33, 65], "a known size is not packed again"


def test_weights_that_are_slow_to_make_are_copied_from_packed_ones(layouts):
    weights, made = PackedWeights(), []

    def slow():
        made.append(1)
        return torch.zeros(1)

    for version, side in ((0, 31), (0, 33), (0, 65), (1, 33)):
        weights.get(slow, size(side), GEOMETRY, version=version, from_copy=True)
    assert len(made) == 2, "once for each version"
    assert layouts == [31, 33, 65, 33]


@torch.no_grad()
def test_a_copy_of_a_packed_copy_convolves_alike():
    weights = PackedWeights()
    for side in (5, 33, 65):
        images = torch.randn(size(side))
        made = weights.get(lambda: WEIGHT, images.shape, GEOMETRY, from_copy=True)
        torch.testing.assert_close(
            onednn.convolve(images, made, None, GEOMETRY),
            F.conv2d(images, WEIGHT, padding=1),
            rtol=1e-4,
            atol=1e-4,
        )


def test_the_copies_longest_unused_go_first(layouts):
    weights, zero = PackedWeights(), torch.zeros(1)
    for side in (10, 20, 30, 10, 40):
        weights.get(lambda: zero, size(side), GEOMETRY)
    assert len(weights) == COPIES == 3
    for side in (10, 30, 40):
        weights.get(lambda: zero, size(side), GEOMETRY)
    assert layouts == [10, 20, 30, 40]
    weights.get(lambda: zero, size(20), GEOMETRY)
    assert layouts == [10, 20, 30, 40, 20]


def test_other_weights_have_copies_of_their_own(layouts):
    weights = PackedWeights()
    ours = [
        weights.get(lambda v=v: torch.full((1,), float(v)), size(10), GEOMETRY, version=v) for v in (0, 5)
    ]
    assert [w.item() for w in ours] == [10, 15]


def test_the_first_input_of_a_size_takes_the_weights_as_they_are(layouts):
    weights, plain = PackedWeights(), torch.zeros(1)
    assert weights.from_second_time(plain, size(10), GEOMETRY) is plain
    assert layouts == []
    assert weights.from_second_time(plain, size(10), GEOMETRY).item() == 10
    assert weights.from_second_time(plain, size(20), GEOMETRY) is plain


def test_it_forgets_sizes_when_there_are_many(layouts, monkeypatch):
    monkeypatch.setattr(packed, "KNOWN_SIZES", 4)
    weights, plain = PackedWeights(), torch.zeros(1)
    for side in range(1, 10):
        weights.from_second_time(plain, size(side), GEOMETRY)
    assert len(weights._layouts) <= 4
    assert weights.from_second_time(plain, size(1), GEOMETRY) is plain, "met again as if for the first time"


def test_copies_and_pickles_are_empty_and_fill_themselves():
    weights = PackedWeights()
    weights.get(lambda: WEIGHT, size(5), GEOMETRY)
    for made in (copy.deepcopy(weights), pickle.loads(pickle.dumps(weights))):
        assert len(made) == 0
        made.get(lambda: WEIGHT, size(5), GEOMETRY)
        assert len(made) == 1
