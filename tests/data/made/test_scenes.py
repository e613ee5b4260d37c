"""Scenes: the same bytes everywhere, and the properties that the experiments on them rest on."""

import hashlib
import math
from collections import Counter

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.made.scenes import CLASSES, CLASSES_WITHOUT_CUE, SIDES, STRIP_COLOURS, Scenes
from dlv3.data.made.shapes import Canvas
from dlv3.data.made.textures import (
    CANONICAL_SIZE,
    TEXTURES,
    UNIT,
)

# Recorded on x86-64 (AVX2, and again without it), NumPy 2.4.
CHECKSUMS = {
    ("train", 0, 129): "eb94e93d8118218d",
    ("train", 3999, 129): "3c3f9d5280e718cd",
    ("val", 0, 129): "68371a3590567af4",
    ("test", 7, 129): "41e3b0c9e13b0996",
    ("val", 3, 257): "149d5105457b22af",
    ("val", 3, 513): "29d7ce82a0bdd75b",
}


def checksum(dataset, index):
    image, mask = dataset[index]
    return hashlib.sha256(image.numpy().tobytes() + mask.numpy().tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(("split", "index", "size"), CHECKSUMS)
def test_pictures_are_the_recorded_ones_to_the_byte(split, index, size):
    assert checksum(Scenes(split, size=size), index) == CHECKSUMS[split, index, size]


def test_picture_and_mask_have_the_shapes_and_types_of_every_data_set():
    scenes = Scenes("val", size=150)
    image, mask = scenes[-1]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert (image.shape, image.dtype) == ((3, 150, 150), torch.uint8)
    assert (mask.shape, mask.dtype) == ((150, 150), torch.uint8)
    assert (len(scenes), scenes.name(-1)) == (400, "scenes-val-00399")


def test_no_picture_is_in_two_splits_or_under_two_seeds():
    sets = [Scenes(split, seed=seed) for split in ("train", "val", "test") for seed in (0, 1)]
    sums = [checksum(scenes, index) for scenes in sets for index in range(25)]
    assert len(set(sums)) == len(sums)


def test_fewer_pictures_are_the_first_of_more():
    assert checksum(Scenes("train", pictures=3), 2) == checksum(Scenes("train"), 2)


def test_options_reach_the_scenes_through_their_name():
    scenes = open_dataset("scenes", "test", DataConfig(size=193, scene_cue=False, pictures=9, seed=4))
    assert checksum(scenes, 8) == checksum(Scenes("test", size=193, scene_cue=False, seed=4), 8)
    assert len(scenes) == 9


def test_larger_size_is_the_same_scene_sampled_more_finely():
    # At three times the side, every third pixel centre is a pixel centre of the small picture.
    for index in range(10):
        small, large = (Scenes("val", size=size)[index][1] for size in (129, 387))
        assert torch.equal(large[1::3, 1::3], small)


def test_without_the_cue_sun_and_coin_are_one_class_and_the_pictures_stay():
    merge = torch.tensor([CLASSES_WITHOUT_CUE.index("disc" if c in STRIP_COLOURS else c) for c in CLASSES])
    for index in range(20):
        (image, mask), (plain_image, plain_mask) = (
            Scenes("val", scene_cue=cue)[index] for cue in (True, False)
        )
        assert torch.equal(image, plain_image)
        assert torch.equal(merge[mask.long()], plain_mask.long())
    plain = Scenes("val", scene_cue=False)
    assert plain.num_classes == len(plain.palette) == len(plain.classes) == 7
    assert plain.palette[2:].tolist() == Scenes("val").palette[3:].tolist()


@pytest.mark.parametrize("scene_cue", [True, False])
def test_group_of_shapes_is_the_six_classes_that_need_no_scene_cue(scene_cue):
    scenes = Scenes("val", scene_cue=scene_cue)
    names = [scenes.classes[index] for index in scenes.groups["shapes"]]
    assert names == ["background", "square", "triangle", "ring", "cross", "wire"]


def test_colour_of_the_strip_alone_decides_between_sun_and_coin():
    scenes, seen = Scenes("train"), Counter()
    sun, coin = CLASSES.index("sun"), CLASSES.index("coin")
    for index in range(120):
        image, mask = scenes[index]
        discs = {sun, coin} & scenes.classes_in(index)
        bands = [image[:, :, :9], image[:, :, -9:], image[:, :9], image[:, -9:]]
        strip = bands[SIDES.index(scenes.layout(index).strip.side)].float()
        is_orange = bool(strip[0].mean() > strip[2].mean() + 60)
        assert discs <= {sun if is_orange else coin}
        assert set(discs) == set(mask.unique().tolist()) & {sun, coin}
        seen[is_orange] += 1
    assert min(seen.values()) > 40


def test_strip_is_background_ten_pixels_wide():
    scenes = Scenes("train")
    for index in range(30):
        mask = scenes[index][1]
        turns = {"left": 0, "top": 1, "right": 2, "bottom": 3}[scenes.layout(index).strip.side]
        assert not torch.rot90(mask, turns)[:, :10].any()


def test_scenes_hold_four_to_eight_shapes_and_one_to_three_wires():
    layouts = [Scenes("train").layout(index) for index in range(300)]
    assert {len(layout.shapes) for layout in layouts} == {4, 5, 6, 7, 8}
    assert {len(layout.wires) for layout in layouts} == {1, 2, 3}
    assert all(4 * UNIT <= wire.width <= 6.5 * UNIT for layout in layouts for wire in layout.wires)


def test_radii_span_eight_times_about_evenly_in_the_logarithm():
    radii = [shape.radius / UNIT for i in range(500) for shape in Scenes("train").layout(i).shapes]
    assert 5 <= min(radii) < 5.2
    assert 38 < max(radii) <= 40
    # What does not fit is drawn again, which favours small shapes a little.
    octaves = np.histogram(np.log2(np.array(radii) / 5), bins=[0, 1, 2, 3.001])[0] / len(radii)
    assert (abs(octaves - 1 / 3) < 0.09).all(), octaves


def test_less_than_fifteen_percent_of_a_shape_is_hidden_by_others():
    for index in range(100):
        masks = []
        for shape in Scenes("train").layout(index).shapes:
            canvas = Canvas(CANONICAL_SIZE)
            shape.draw(canvas, 1)
            masks.append(canvas.labels == 1)
        for below, mask in enumerate(masks):
            hidden = mask & np.logical_or.reduce([np.zeros_like(mask), *masks[below + 1 :]])
            assert hidden.sum() < 0.15 * mask.sum()


def chi_square(pairs):
    """Pearson's statistic of independence of two labels, and the degrees of freedom."""
    rows, columns = (sorted(set(values)) for values in zip(*pairs, strict=True))
    counts = np.array([[Counter(pairs)[row, column] for column in columns] for row in rows])
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / counts.sum()
    return ((counts - expected) ** 2 / expected).sum(), (len(rows) - 1) * (len(columns) - 1)


@pytest.mark.parametrize(
    "feature",
    [
        lambda fill: fill.texture,
        lambda fill: fill.period // (2 * UNIT),
        lambda fill: int(np.argmax(fill.first)),
        lambda fill: sum(fill.second) // 100,
    ],
    ids=["texture", "period", "hue", "darker colour"],
)
def test_fills_say_nothing_about_the_class(feature):
    layouts = [Scenes("train").layout(index) for index in range(400)]
    things = [(shape.kind, shape.fill) for layout in layouts for shape in layout.shapes]
    things += [("wire", wire.fill) for layout in layouts for wire in layout.wires]
    statistic, freedom = chi_square([(kind, feature(fill)) for kind, fill in things])
    assert statistic < freedom + 4 * math.sqrt(2 * freedom)
    assert {fill.texture for _, fill in things} == set(TEXTURES)


def test_objects_are_brighter_and_more_saturated_than_any_ground():
    for index in range(200):
        layout = Scenes("train").layout(index)
        ground = (layout.ground.first, layout.ground.second)
        objects = [
            c for thing in (*layout.shapes, *layout.wires) for c in (thing.fill.first, thing.fill.second)
        ]
        assert max(max(c) for c in ground) < min(max(c) for c in objects)
        assert max(max(c) - min(c) for c in ground) < min(max(c) - min(c) for c in objects)


def test_classes_in_are_the_labels_of_the_mask():
    scenes = Scenes("test")
    for index in range(5):
        assert scenes.classes_in(index) == set(np.unique(scenes[index][1].numpy()).tolist())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "trainval"}, "split='trainval' of scenes: expected one of train, val, test"),
        ({"size": 128}, "size=128: expected 129 to 513 pixels"),
        ({"size": 514}, "size=514"),
        ({"pictures": 0}, "pictures=0 of scenes: expected at least 1"),
        ({"seed": -1}, "seed=-1 of scenes: expected a whole number from 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name_and_value(options, message):
    with pytest.raises(DataError, match=message):
        Scenes(**{"split": "train", **options})


def test_there_is_no_picture_past_the_end():
    with pytest.raises(IndexError):
        Scenes("val", pictures=5)[5]
