"""A folder of photos is measured picture by picture, with every contender on the same pictures."""

import pytest
import torch
from torch import nn

from benchmarks import machine, photos
from benchmarks.photos import SIDES, made_sizes


def test_sizes_are_drawn_once_for_all_and_within_their_limits():
    sizes = made_sizes(50)
    assert sizes == made_sizes(50)
    assert made_sizes(5) == sizes[:5]
    assert len(set(sizes)) == 50
    sides = [side for size in sizes for side in size]
    assert SIDES[0] <= min(sides) < 400
    assert 1100 < max(sides) <= SIDES[1]


def test_each_contender_has_a_row_of_the_whole_folder(monkeypatch):
    monkeypatch.setitem(machine.PRODUCT_SIDE, "cpu", 64)
    seen: dict[str, list[torch.Size]] = {}

    def contender(name: str, factor: float):
        def run(images: torch.Tensor) -> torch.Tensor:
            seen.setdefault(name, []).append(images.shape)
            return factor * nn.functional.avg_pool2d(images, 1)

        return run

    runs = {"torchvision": contender("torchvision", 1.0), "dlv3": contender("dlv3", 1.0 + 1e-6)}
    runs["ONNX Runtime"] = contender("ONNX Runtime", 1.5)
    rows = list(photos._case(runs, 16, [(33, 40), (50, 33)], torch.device("cpu")))
    assert [row.what for row in rows] == ["torchvision", "dlv3", "ONNX Runtime"]
    assert seen["dlv3"][1:] == [(1, 3, 33, 40), (1, 3, 50, 33)], "after one to start what starts once"
    assert seen["dlv3"] == seen["torchvision"] == seen["ONNX Runtime"]
    assert rows[0].ratio is None
    assert rows[1].difference == pytest.approx(1e-6, rel=0.2)
    assert rows[1].rival in ("torchvision", "ONNX Runtime")
    assert rows[2].wrong
    assert "the folder in" in rows[0].note
    assert "times as fast in all" in rows[1].note
    assert all(row.share.median > 0 for row in rows)
