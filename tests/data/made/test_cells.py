"""Cell probes: the same bytes everywhere, and no marker where another target could look for its own."""

import hashlib

import pytest
import torch

from dlv3.data import DataConfig, open_dataset
from dlv3.data.errors import DataError
from dlv3.data.made.cells import CELL, COLOURS, DOTS, FAR_DIRECTIONS, KINDS, REACH, SIDE, CellMarkers

# Recorded on x86-64, NumPy 2.4.
CHECKSUMS = {
    ("near", "train", 0): "890ea1d55cb57de4",
    ("near", "val", 299): "b679cbc617d77303",
    ("near", "test", 5): "90ec2e40303cc9d7",
    ("far", "train", 0): "aa85371d78178a22",
    ("far", "val", 299): "71cd349593dfcd5d",
    ("far", "test", 5): "c542554b9831ca1b",
    ("dots", "train", 0): "c540df5e66c97bd9",
    ("dots", "val", 299): "d19074cd9cdfc3b0",
    ("dots", "test", 5): "bcfb04d15243f928",
}


def checksum(dataset: CellMarkers, index: int) -> str:
    image, mask = dataset[index]
    return hashlib.sha256(image.numpy().tobytes() + mask.numpy().tobytes()).hexdigest()[:16]


def apart(a: tuple[int, int], b: tuple[int, int]) -> int:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))


@pytest.mark.parametrize(("kind", "split", "index"), CHECKSUMS)
def test_pictures_are_the_recorded_ones_to_the_byte(kind, split, index):
    assert checksum(CellMarkers(kind, split), index) == CHECKSUMS[kind, split, index]


def test_no_picture_is_in_two_splits():
    sets = [CellMarkers(kind, split) for kind in KINDS for split in ("train", "val", "test")]
    sums = [checksum(cells, index) for cells in sets for index in range(20)]
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_are_the_same_each_time_and_differ_between_splits_seeds_and_kinds(kind):
    image, mask = CellMarkers(kind, "train")[3]
    again = CellMarkers(kind, "train", pictures=4)[3]
    assert torch.equal(image, again[0])
    assert torch.equal(mask, again[1])
    others = [CellMarkers(kind, "val")[3], CellMarkers(kind, "train", seed=1)[3]]
    others += [CellMarkers(other, "train")[3] for other in KINDS if other != kind]
    assert all(not torch.equal(image, other[0]) for other in others)


@pytest.mark.parametrize("kind", list(REACH))
def test_a_targets_class_is_its_markers_colour_and_no_other_marker_is_in_reach(kind):
    dataset = CellMarkers(kind, "val")
    for index in range(60):
        image, _ = dataset[index]
        placed = dataset.layout(index)
        assert placed
        for target, marker, marker_class in placed:
            assert (marker[0] - target[0], marker[1] - target[1]) in dataset.offsets()
            assert tuple(image[:, marker[0] * CELL, marker[1] * CELL].tolist()) == COLOURS[marker_class]
            others = [m for t, m, _ in placed if t != target]
            assert all(apart(other, target) > REACH[kind] for other in others)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_inner_pixels_of_targets_are_labelled(kind):
    dataset = CellMarkers(kind, "val")
    for index in range(20):
        _, mask = dataset[index]
        expected = torch.full((SIDE * CELL, SIDE * CELL), 255, dtype=torch.uint8)
        for (row, column), _, marker_class in dataset.layout(index):
            rows, columns = (slice(CELL * at + 1, CELL * at + 3) for at in (row, column))
            expected[rows, columns] = marker_class
        assert torch.equal(mask.as_subclass(torch.Tensor), expected)
        assert dataset.classes_in(index) == frozenset(mask[mask != 255].tolist())


def test_dots_are_their_own_markers_and_never_touch():
    dataset = CellMarkers("dots", "val")
    for index in range(20):
        placed = dataset.layout(index)
        assert len(placed) == DOTS
        assert all(target == marker for target, marker, _ in placed)
        cells = [target for target, _, _ in placed]
        assert min(apart(a, b) for a in cells for b in cells if a != b) > 1


def test_far_markers_lie_twelve_cells_away_in_all_eight_directions():
    dataset = CellMarkers("far", "train")
    steps = {(m[0] - t[0], m[1] - t[1]) for index in range(300) for t, m, _ in dataset.layout(index)}
    assert steps == {(12 * y, 12 * x) for y, x in FAR_DIRECTIONS}


def test_near_markers_are_at_odd_distances_as_often_as_the_offsets_say():
    dataset = CellMarkers("near", "train")
    steps = [(m[0] - t[0], m[1] - t[1]) for index in range(600) for t, m, _ in dataset.layout(index)]
    even = sum(y % 2 == 0 and x % 2 == 0 for y, x in steps) / len(steps)
    offsets = dataset.offsets()
    expected = sum(y % 2 == 0 and x % 2 == 0 for y, x in offsets) / len(offsets)
    assert even == pytest.approx(expected, abs=0.04)  # 1,800 markers: two standard errors are 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_cells_open_by_their_spec(kind):
    opened = open_dataset(f"cells:{kind}", "test", DataConfig(pictures=6))
    assert len(opened) == 6
    assert checksum(opened, 5) == CHECKSUMS[kind, "test", 5]


def test_unknown_kinds_and_splits_are_refused():
    with pytest.raises(DataError, match="kind='up' of cells: expected one of near, far, dots"):
        CellMarkers("up", "train")
    with pytest.raises(DataError, match="split='exam' of cells"):
        CellMarkers("near", "exam")
    with pytest.raises(DataError, match="pictures=0 of cells: expected at least 1"):
        CellMarkers("near", "val", pictures=0)
    with pytest.raises(IndexError):
        CellMarkers("near", "val")[300]
