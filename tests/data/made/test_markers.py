"""Marker probes: the same bytes everywhere, and an answer that is known, unique and where it is said to be."""

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.made.markers import DIRECTIONS, KINDS, SIZE, Markers

# Recorded on x86-64 (AVX2, and again without it), NumPy 2.4.
CHECKSUMS = {
    ("one", "train", 0): "6b07da1566a1162c",
    ("one", "val", 299): "f873f304721d3634",
    ("one", "test", 5): "048b81f1f28439f4",
    ("mixed", "train", 0): "6339af48eb7f44f3",
    ("mixed", "val", 299): "ae86ca78cf907f56",
    ("mixed", "test", 5): "00c75c4749130d03",
    ("image", "train", 0): "91c2ee786119ed34",
    ("image", "val", 299): "ef80621aa1607aeb",
    ("image", "test", 5): "583318bed2538dc3",
}
DISC_PIXELS = 149  # with centres within 7 px of the disc's
# A disc's pixel is 7 off its centre, and the probes' network sees 7 to either side of where a tap falls.
SEEN = 14


def checksum(dataset, index):
    image, mask = dataset[index]
    return hashlib.sha256(image.numpy().tobytes() + mask.numpy().tobytes()).hexdigest()[:16]


def coloured(image):
    """The pixels of markers, as (H, W) bool: all else is grey."""
    return (image.amax(0) > image.amin(0)).numpy()


@pytest.mark.parametrize(("kind", "split", "index"), CHECKSUMS)
def test_pictures_are_the_recorded_ones_to_the_byte(kind, split, index):
    assert checksum(Markers(kind, split), index) == CHECKSUMS[kind, split, index]


@pytest.mark.parametrize("kind", KINDS)
def test_picture_and_mask_have_the_shapes_and_types_of_every_data_set(kind):
    markers = open_dataset(f"markers:{kind}", "val", DataConfig())
    image, mask = markers[-1]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert (image.shape, image.dtype) == ((3, SIZE, SIZE), torch.uint8)
    assert (mask.shape, mask.dtype) == ((SIZE, SIZE), torch.uint8)
    assert (len(markers), markers.name(-1)) == (300, f"markers-{kind}-val-00299")
    assert markers.num_classes == len(markers.classes) == len(markers.palette) == 4


def test_no_picture_is_in_two_splits_two_kinds_or_under_two_seeds():
    sets = [
        Markers(kind, split, seed=s) for kind in KINDS for split in ("train", "val", "test") for s in (0, 1)
    ]
    sums = [checksum(markers, index) for markers in sets for index in range(15)]
    assert len(set(sums)) == len(sums)


def test_fewer_pictures_are_the_first_of_more():
    assert checksum(Markers("one", "train", pictures=3), 2) == checksum(Markers("one", "train"), 2)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_pixels_of_discs_are_labelled_with_their_markers_colour(kind):
    markers = Markers(kind, "train")
    for index in range(60):
        image, mask = markers[index]
        rest = np.full((SIZE, SIZE), 255)
        for disc in markers.layout(index):
            row, column = disc.place
            rows, columns = np.ogrid[:SIZE, :SIZE]
            rest[(rows - row) ** 2 + (columns - column) ** 2 <= 49] = disc.label
            assert image[:, *disc.marker].tolist() == markers.palette[disc.label].tolist()
            assert image[:, row, column].unique().tolist() == [markers.tone(disc.distance)]
        assert np.array_equal(mask.numpy(), rest)
        assert (mask != 255).sum() == DISC_PIXELS * len(markers.layout(index))
        assert markers.classes_in(index) == set(mask.unique().tolist()) - {255}


@pytest.mark.parametrize(
    "markers",
    [Markers("one", "train"), Markers("one", "train", distance=20), Markers("mixed", "train")],
    ids=["one", "one at 20", "mixed"],
)
def test_of_the_eight_places_only_the_discs_own_shows_a_marker(markers):
    for index in range(60):
        colours = coloured(markers[index][0])
        for disc in markers.layout(index):
            row, column = disc.place
            others = colours.copy()
            others[disc.marker[0] - 3 : disc.marker[0] + 4, disc.marker[1] - 3 : disc.marker[1] + 4] = False
            steps = ((disc.marker[0] - row) / disc.distance, (disc.marker[1] - column) / disc.distance)
            assert steps in DIRECTIONS
            for y, x in DIRECTIONS:
                top, left = row + y * disc.distance - SEEN, column + x * disc.distance - SEEN
                seen = others[
                    max(0, top) : max(0, top + 2 * SEEN + 1), max(0, left) : max(0, left + 2 * SEEN + 1)
                ]
                assert not seen.any()


@pytest.mark.parametrize("kind", KINDS)
def test_discs_and_markers_are_whole_and_apart(kind):
    markers = Markers(kind, "train")
    for index in range(60):
        image, mask = markers[index]
        places = {disc.marker for disc in markers.layout(index)}
        # Were two to touch or one to be cut off, fewer pixels would be left: 29 lie within 3 px of a centre.
        assert coloured(image).sum() == 29 * len(places)
        assert not (coloured(image) & (mask.numpy() != 255)).any()


def test_mixed_distances_are_equally_frequent_and_told_by_the_tone():
    markers = Markers("mixed", "train")
    discs = [disc for index in range(500) for disc in markers.layout(index)]
    shares = Counter(disc.distance for disc in discs)
    assert set(shares) == {16, 40, 72}
    assert all(abs(count / len(discs) - 1 / 3) < 0.02 for count in shares.values()), shares
    tones = [markers.tone(distance) for distance in (16, 40, 72)]
    assert (tones[0], tones[-1]) == (240, 165)
    assert all(lighter - darker >= 37 for lighter, darker in pairwise(tones))
    assert min(tones) > 130  # the noise's lightest grey


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_equally_frequent(kind):
    markers = Markers(kind, "train")
    labels = [disc.label for index in range(600) for disc in markers.layout(index)[:1]]
    assert all(abs(count - 150) < 45 for count in Counter(labels).values())  # four standard deviations
    assert len(set(labels)) == 4


@pytest.mark.parametrize("kind", ["one", "mixed"])
def test_all_eight_directions_occur_about_equally(kind):
    markers = Markers(kind, "train")
    discs = [disc for index in range(600) for disc in markers.layout(index)]
    ways = Counter(tuple(np.sign(np.subtract(disc.marker, disc.place)).tolist()) for disc in discs)
    assert set(ways) == set(DIRECTIONS)
    # Which fit beside the others differs a little between straight and diagonal.
    assert max(ways.values()) < 1.5 * min(ways.values()), ways


def test_one_marker_anywhere_is_the_class_of_all_discs():
    markers, counts = Markers("image", "train"), Counter()
    where = []
    for index in range(300):
        discs = markers.layout(index)
        assert len({(disc.marker, disc.label, disc.distance) for disc in discs}) == 1
        counts[len(discs)] += 1
        where.append(discs[0].marker)
    assert set(counts) == {1, 2, 3, 4, 5}
    quarters = Counter((row > SIZE // 2, column > SIZE // 2) for row, column in where)
    assert min(quarters.values()) > 45  # of 300, expected 75: four standard deviations


@pytest.mark.parametrize("distance", [12, 30, 64, 100, 118])
def test_every_allowed_distance_can_be_placed(distance):
    markers = Markers("one", "val", distance=distance)
    for index in range(20):
        assert {disc.distance for disc in markers.layout(index)} == {distance}


def test_pictures_hold_three_to_five_discs_where_they_fit():
    counts = Counter(len(Markers("one", "train").layout(index)) for index in range(300))
    assert set(counts) <= {1, 2, 3, 4, 5}
    assert sum(counts[n] for n in (3, 4, 5)) > 0.9 * 300


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "two"}, "kind='two' of markers: expected one of one, mixed, image"),
        ({"split": "all"}, "split='all' of markers: expected one of train, val, test"),
        ({"distance": 11}, "distance=11: expected 12 to 118 pixels"),
        ({"distance": 119}, "distance=119"),
        ({"kind": "mixed", "distances": (16, 200)}, "distance=200"),
        (
            {"kind": "mixed", "distances": (16,)},
            "distances=\\(16,\\): expected 2 to 5 numbers, all different",
        ),
        ({"kind": "mixed", "distances": (16, 16, 40)}, "all different"),
        ({"pictures": 0}, "pictures=0 of markers: expected at least 1"),
        ({"seed": -2}, "seed=-2 of markers: expected a whole number from 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name_and_value(options, message):
    with pytest.raises(DataError, match=message):
        Markers(**{"kind": "one", "split": "train", **options})


def test_there_is_no_picture_past_the_end():
    with pytest.raises(IndexError):
        Markers("image", "val", pictures=5)[5]
