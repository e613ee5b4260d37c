"""Outline and heads: the same bytes everywhere, and the properties that the tables on them rest on."""

import hashlib

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.made import heads, outline
from dlv3.data.made.contact_sheet import contact_sheet
from dlv3.data.made.heads import Heads
from dlv3.data.made.large_objects import SPLITS
from dlv3.data.made.object_crops import OBJECTS, ObjectCrops
from dlv3.data.made.outline import Outline
from dlv3.data.made.textures import UNIT

BOTH = [Outline, Heads]
# Recorded on x86-64 (AVX2), NumPy 2.4.
CHECKSUMS: dict[tuple[type, str, int, int], str] = {
    (Outline, "train", 0, 129): "229b8e7e81363f8d",
    (Outline, "train", 2999, 129): "be1b718dc74f5e8f",
    (Outline, "val", 0, 129): "d4adc457c7e68e43",
    (Outline, "val", 3, 257): "a9e70c6fadb3a2b5",
    (Outline, "val", 3, 513): "adb134fd3aedf42a",
    (Outline, "test", 7, 129): "0fb7cee4117ce0f1",
    (Heads, "train", 0, 129): "dc9afa2d9fe61306",
    (Heads, "train", 2999, 129): "d03f75229eec425a",
    (Heads, "val", 0, 129): "bfe07e3c5ef55afa",
    (Heads, "val", 3, 257): "366d6b022f79252b",
    (Heads, "val", 3, 513): "d280d66e19aeaaa1",
    (Heads, "test", 7, 129): "4e604c0865c06cac",
}
CROP_CHECKSUMS: dict[tuple[str, int], str] = {
    ("train", 0): "448254e6eee93bdd",
    ("train", 6399): "f0ac2e024b37042c",
    ("val", 5): "f1380038f771a6b3",
}


def checksum(*arrays) -> str:
    return hashlib.sha256(b"".join(a.numpy().tobytes() for a in arrays)).hexdigest()[:16]


@pytest.mark.parametrize(("kind", "split", "index", "size"), CHECKSUMS)
def test_pictures_are_the_recorded_ones_to_the_byte(kind, split, index, size):
    assert checksum(*kind(split, size=size)[index]) == CHECKSUMS[kind, split, index, size]


@pytest.mark.parametrize(("split", "index"), CROP_CHECKSUMS)
def test_crops_are_the_recorded_ones_to_the_byte(split, index):
    image, label = ObjectCrops(split)[index]
    assert checksum(image, torch.tensor(label)) == CROP_CHECKSUMS[split, index]


@pytest.mark.parametrize("kind", BOTH)
def test_picture_and_mask_have_the_shapes_and_types_of_every_data_set(kind):
    pictures = kind("val", size=150)
    image, mask = pictures[-1]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert (image.shape, image.dtype) == ((3, 150, 150), torch.uint8)
    assert (mask.shape, mask.dtype) == ((150, 150), torch.uint8)
    assert (len(pictures), pictures.name(-1)) == (SPLITS["val"], f"{kind.title}-val-00299")
    assert pictures.classes_in(5) == frozenset(torch.unique(pictures[5][1]).tolist())
    assert pictures.palette.shape == (len(pictures.classes), 3)


@pytest.mark.parametrize("kind", BOTH)
def test_no_picture_is_in_two_splits_or_under_two_seeds(kind):
    sets = [kind(split, seed=seed) for split in SPLITS for seed in (0, 1)]
    sums = [checksum(*pictures[index]) for pictures in sets for index in range(20)]
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("name", ["outline", "heads"])
def test_options_reach_the_pictures_through_their_name(name):
    kind = {"outline": Outline, "heads": Heads}[name]
    opened = open_dataset(name, "test", DataConfig(size=193, pictures=9, seed=4))
    assert len(opened) == 9
    assert checksum(*opened[8]) == checksum(*kind("test", size=193, seed=4)[8])


@pytest.mark.parametrize("kind", BOTH)
def test_a_larger_picture_is_the_same_layout_with_more_pixels(kind):
    small, large = kind("val")[3][1], kind("val", size=387)[3][1]  # 387 is three times 129
    agree = (small == large[1::3, 1::3]).float().mean()
    assert agree > 0.99


@pytest.mark.parametrize("kind", BOTH)
def test_every_class_is_there_and_objects_take_a_good_part_of_the_picture(kind):
    labels = torch.stack([kind("val")[i][1].as_subclass(torch.Tensor) for i in range(150)])
    shares = labels.flatten().bincount(minlength=len(kind.classes)) / labels.numel()
    assert len(shares) == len(kind.classes)
    assert 0.5 < shares[0] < 0.85
    assert shares[1:].min() > 0.003


@pytest.mark.parametrize("kind", BOTH)
def test_fills_are_blind_to_the_class(kind):
    # The mean colour of the objects of one class, over many pictures, is that of all objects. A head's own hue is left
    # out: of a body the fill alone is looked at.
    by_class: dict[int, list[np.ndarray]] = {}
    for index in range(400):
        for thing in kind("train").layout(index).objects:
            if thing.fill.first != thing.fill.second:
                by_class.setdefault(thing.label, []).append(np.array(thing.fill.first))
    every = np.concatenate([np.stack(colours) for colours in by_class.values()])
    for colours in by_class.values():
        off = np.abs(np.mean(colours, axis=0) - every.mean(axis=0))
        assert (off < 4 * every.std(axis=0) / np.sqrt(len(colours))).all()


def test_nothing_is_hidden_beyond_the_limit_in_outline():
    for index in range(60):
        covers = [thing.placed.covered() for thing in Outline("train").layout(index).objects]
        for place, cover in enumerate(covers):
            seen = cover.copy()
            for front in covers[place + 1 :]:
                seen &= ~front
            assert seen.sum() >= (1 - outline.HIDDEN_PERCENT / 100) * cover.sum()


def test_no_body_hides_another_in_heads():
    for index in range(60):
        bodies = [t for t in Heads("train").layout(index).objects if t.fill.first != t.fill.second]
        covers = np.stack([body.placed.covered() for body in bodies]).sum(axis=0)
        assert covers.max() == 1


def test_a_head_lies_at_its_bodys_end_and_has_the_hue_of_its_class():
    for index in range(30):
        things = Heads("train").layout(index).objects
        assert len(things) % 3 == 0
        for body, rim, head in zip(things[::3], things[1::3], things[2::3], strict=True):
            assert body.label == rim.label == head.label
            away = np.hypot(head.placed.x - body.placed.x, head.placed.y - body.placed.y)
            assert away == pytest.approx(body.placed.radius - rim.placed.radius - UNIT, abs=3)
            assert rim.placed.radius - head.placed.radius == heads.RIM


def test_crops_have_every_object_about_equally_often_and_one_class_each():
    crops = ObjectCrops("val", pictures=700)
    counts = torch.tensor([crops[i][1] for i in range(700)]).bincount(minlength=len(OBJECTS))
    assert len(OBJECTS) == len(outline.KINDS) + len(heads.HUES)
    assert counts.min() > 700 / len(OBJECTS) / 2
    assert crops[0][0].shape == (3, 65, 65)


@pytest.mark.parametrize("kind", BOTH)
def test_impossible_options_are_refused(kind):
    for options in (dict(size=128), dict(size=514), dict(pictures=0), dict(seed=-1)):
        with pytest.raises(DataError):
            kind("train", **options)
    with pytest.raises(DataError, match=f"split='all' of {kind.title}"):
        kind("all")
    with pytest.raises(IndexError):
        kind("val")[300]


def test_contact_sheet_has_pictures_above_their_labels():
    pictures = Heads("val")
    sheet = contact_sheet(pictures, columns=3, rows=2, gap=4)
    assert sheet.shape == (4 * 133 - 4, 3 * 133 - 4, 3)
    image, mask = pictures[4]  # second row, second column
    assert np.array_equal(sheet[2 * 133 : 2 * 133 + 129, 133 : 133 + 129], image.permute(1, 2, 0).numpy())
    assert np.array_equal(sheet[3 * 133 :, 133 : 133 + 129], pictures.palette[mask.numpy()])
