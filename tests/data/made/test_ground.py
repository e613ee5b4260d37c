"""Ground pictures: the same bytes everywhere, and no colour near the disc."""

import hashlib
from collections import Counter

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.made.ground import GREY_REACH, PALE, Ground
from dlv3.data.made.markers import COLOURS, SIZE

# Recorded on x86-64, NumPy 2.4.
CHECKSUMS = {
    ("train", 0): "622991fa6f5ea787",
    ("val", 299): "cbf60e6cac4442c5",
    ("test", 5): "d498b10989a10771",
}


def checksum(dataset: Ground, index: int) -> str:
    image, mask = dataset[index]
    return hashlib.sha256(image.numpy().tobytes() + mask.numpy().tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(("split", "index"), CHECKSUMS)
def test_pictures_are_the_recorded_ones_to_the_byte(split, index):
    assert checksum(Ground(split), index) == CHECKSUMS[split, index]


def test_picture_and_mask_have_the_shapes_and_types_of_every_data_set():
    ground = open_dataset("ground", "val", DataConfig())
    image, mask = ground[-1]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert (image.shape, image.dtype) == ((3, SIZE, SIZE), torch.uint8)
    assert (mask.shape, mask.dtype) == ((SIZE, SIZE), torch.uint8)
    assert (len(ground), ground.name(-1)) == (300, "ground-val-00299")
    assert ground.num_classes == len(ground.classes) == len(ground.palette) == 4


def test_no_two_pictures_are_the_same_in_any_split_or_seed():
    sets = [Ground(split, seed=seed) for split in ("train", "val", "test") for seed in (0, 1)]
    sums = [checksum(ground, index) for ground in sets for index in range(20)]
    assert len(set(sums)) == len(sums)


def test_only_the_disc_is_labelled_and_only_the_ground_beyond_its_square_is_coloured():
    ground = Ground("train")
    rows, columns = np.ogrid[:SIZE, :SIZE]
    for index in range(60):
        (row, column), label = ground.layout(index)
        image, mask = (each.numpy() for each in ground[index])
        disc = (rows - row) ** 2 + (columns - column) ** 2 <= 49
        assert np.array_equal(mask, np.where(disc, label, 255))
        assert (image[:, disc] == PALE).all()
        near = np.maximum(abs(rows - row), abs(columns - column)) <= GREY_REACH
        assert np.array_equal(image.max(0) > image.min(0), ~near)
        strongest = int(np.argmax(COLOURS[label]))
        assert (image.argmax(0)[~near] == strongest).all()
        assert ground.classes_in(index) == {label}


def test_discs_lie_everywhere_and_classes_are_equally_frequent():
    layouts = [Ground("train").layout(index) for index in range(1000)]
    counts = Counter(label for _, label in layouts)
    assert all(abs(counts[label] - 250) < 55 for label in range(4))  # four standard deviations
    for axis in (0, 1):
        at = np.array([place[axis] for place, _ in layouts])
        assert (at.min(), at.max()) == (7, SIZE - 8)
        assert np.abs(np.histogram(at, bins=5, range=(7, SIZE - 7))[0] - 200).max() < 55


def test_bad_options_are_refused():
    with pytest.raises(DataError, match="split='exam' of ground"):
        Ground("exam")
    with pytest.raises(DataError, match="pictures=0 of ground: expected at least 1"):
        Ground("val", pictures=0)
    with pytest.raises(IndexError):
        Ground("val", pictures=5)[5]
