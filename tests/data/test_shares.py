"""The shares of classes, and what is said where classes do not occur."""

import pytest

from dlv3.data.errors import DataError
from dlv3.data.shares import ClassShares, looks_like_grey_levels


def shares(*pixels: int, unlabelled: int = 0) -> ClassShares:
    return ClassShares(tuple(f"c{i}" for i in range(len(pixels))), pixels, unlabelled, 7)


def test_text_has_the_share_of_each_class_and_of_no_label():
    text = shares(49_990, 9, 0, unlabelled=50_001).text()
    assert text == "pixels of 7 training pictures: c0 50.0%, c1 <0.1%, c2 0.0%, no label 50.0%"


def test_no_line_of_the_text_ends_inside_of_a_name_and_its_share():
    names = tuple(f"a two-lane road {i}" for i in range(9))
    lines = ClassShares(names, (1,) * 9, 0, 7).text().split("\n")
    assert len(lines) > 1
    assert all(line.rstrip(",").endswith("%") for line in lines)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (
            shares(75, 0, unlabelled=25),
            r"photos: only the class 'c0' occurs in the masks of 7 training pictures; expected two classes or more\. "
            r"25\.0% of the pixels are 255 or ignored.*if 255 is a class .*, save it as 1$",
        ),
        (shares(0, 75, unlabelled=25), r"only the class 'c1' occurs .* check the lists"),
        (shares(75, 0), r"only the class 'c0' occurs .* \(grey levels are not class indices"),
        (shares(0, 0, unlabelled=9), r"no class occurs .*100\.0% of the pixels are 255"),
    ],
)
def test_fewer_than_two_classes_are_refused_with_the_likely_cause(found: ClassShares, message: str):
    with pytest.raises(DataError, match=message):
        found.require_two("photos")
    shares(5, 1).require_two("photos")


def test_classes_that_never_occur_are_named():
    assert shares(5, 1).warning("photos") is None
    assert shares(5, 1, 0).warning("photos") == "photos: 1 of 3 classes occur in no training picture: c2"
    many = shares(*[9 if label in (0, 30, 60) else 0 for label in range(61)]).warning("photos")
    assert many is not None
    assert "58 of 61 classes" in many
    assert "c8, …" in many
    assert many.endswith("look like grey levels: save classes as 0, 1, 2, …")


@pytest.mark.parametrize(
    ("labels", "alike"),
    [([0, 1], False), ([0, 1, 11], False), ([0, 30, 60], True), ([0, 128], True), ([1, 2, 3], False)],
)
def test_labels_spread_thinly_look_like_grey_levels(labels: list[int], alike: bool):
    assert looks_like_grey_levels(labels) == alike
