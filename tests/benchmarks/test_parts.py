"""The parts of a picture and of a training step: every operation is of one kind, and its products are counted."""

import pytest
import torch
from torch.nn import functional as F

from benchmarks import machine
from benchmarks.counting import count
from benchmarks.options import Options
from benchmarks.parts import DIRECT, KINDS, NORMALIZATION, POINTWISE, REST, TAPS, TILES, Parts, part_rows
from benchmarks.rows import Unavailable
from dlv3.aspp import ASPP
from dlv3.atrous import AtrousConv2d
from dlv3.fast import for_training, winograd_gradient
from dlv3.fast.folded import fold_sequence

CPU = torch.device("cpu")


def operations_of(run) -> dict[str, int]:
    with Parts() as parts:
        run()
    assert all(parts.seconds[kind] > 0 for kind, number in parts.operations.items() if number)
    return {kind: number for kind, number in parts.operations.items() if number}


def test_a_convolutions_products_are_those_that_meet_the_map():
    images = torch.randn(2, 3, 9, 9)
    assert operations_of(lambda: F.conv2d(images, torch.randn(5, 3, 1, 1))) == {POINTWISE: 2 * 2 * 3 * 5 * 81}
    direct = operations_of(lambda: F.conv2d(images, torch.randn(5, 3, 3, 3), padding=8, dilation=8))
    assert direct == {DIRECT: 2 * 2 * 3 * 5 * (9 + 2) ** 2}, (
        "the centre tap meets 9 along an axis, the others one each"
    )


def test_a_backward_pass_takes_as_many_for_the_images_and_for_the_filter():
    layer = AtrousConv2d(3, 5, 3)
    images = torch.randn(2, 3, 9, 9, requires_grad=True)
    found = operations_of(lambda: layer(images).sum().backward())
    assert found == {DIRECT: 3 * 2 * 2 * 3 * 5 * 25**2}
    assert found[DIRECT] == count(lambda: layer(images).sum().backward()).useful


@torch.no_grad()
def test_a_served_convolutions_tiles_are_products_of_their_own():
    folded = fold_sequence(torch.nn.Sequential(AtrousConv2d(128, 128, 3), torch.nn.BatchNorm2d(128).eval()))
    folded(torch.randn(1, 128, 36, 36))
    found = operations_of(lambda: folded(torch.randn(1, 128, 36, 36)))
    assert found == {TILES: 2 * 36 * 64 * 128 * 128}, "6·6 tiles of 64 products for each pair of channels"


def test_in_training_tiles_taps_and_normalization_have_their_kinds(monkeypatch):
    monkeypatch.setattr(winograd_gradient, "SUPPORTED", True)
    wide = for_training(AtrousConv2d(256, 256, 3))
    found = operations_of(lambda: wide(torch.randn(4, 256, 12, 12)).sum().backward())
    assert set(found) == {TILES, TAPS} or set(found) == {
        TILES
    }  # the filter's matrices are a product of two, too
    taps = for_training(AtrousConv2d(256, 8, 3, rate=6))
    assert operations_of(lambda: taps(torch.randn(2, 256, 9, 9)).sum().backward())[TAPS] > 0
    with Parts() as parts:
        torch.nn.BatchNorm2d(3)(torch.randn(2, 3, 8, 8, requires_grad=True)).sum().backward()
    assert parts.seconds[NORMALIZATION] > 0
    assert parts.operations == dict.fromkeys(KINDS, 0)


@torch.no_grad()
def test_aspp_is_the_sum_of_its_kinds():
    aspp = ASPP(64, 16, (1, 2)).eval()
    with Parts() as parts:
        aspp(torch.randn(1, 64, 17, 17))
    assert parts.operations[POINTWISE] > 0
    assert parts.operations[DIRECT] > 0
    assert parts.seconds[REST] > 0


@pytest.mark.slow
def test_each_kind_has_a_row_with_its_share_of_the_time(monkeypatch):
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)
    options = Options(
        threads=(1,), output_stride=(16,), size=97, training_size=65, training_batch=2, rounds=1
    )
    rows = list(part_rows(options, CPU))
    assert {row.what.partition(",")[0] for row in rows} == {"picture", "training step"}
    for what in ("picture", "training step"):
        shares = [int(row.note.partition("%")[0]) for row in rows if row.what.startswith(what)]
        assert 95 <= sum(shares) <= 103
    assert all((row.share is None) == (NORMALIZATION in row.what or REST in row.what) for row in rows)


def test_a_gpu_is_refused():
    with pytest.raises(Unavailable, match="on a CPU"):
        next(part_rows(Options(), torch.device("cuda")))
