"""Names and colours of classes survive the way through a file's text, and a changed text is one line of error."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from dlv3.data import SCENES_PALETTE, open_dataset
from dlv3.data.made.scenes import CLASSES
from dlv3.data.named_classes import CLASSES_KEY, NamedClasses

TWO = {"names": ["a", "b"], "colours": [[0, 0, 0], [255, 0, 7]]}


def test_a_data_sets_names_and_colours_come_back():
    metadata = NamedClasses.of(open_dataset("scenes", "val")).to_metadata()
    found = NamedClasses.from_metadata(metadata, len(CLASSES))
    assert found is not None
    assert found.names == CLASSES
    assert np.array_equal(found.palette, SCENES_PALETTE)
    assert found.palette.dtype == np.uint8


@pytest.mark.parametrize(("rows", "expected"), [(300, 7), (1, 0), (None, 0)])
def test_a_users_own_data_set_may_have_a_palette_of_another_length_or_none(rows, expected):
    dataset = SimpleNamespace(classes=("a", "b"))
    if rows is not None:
        dataset.palette = np.full((rows, 3), 7, np.uint8)
    assert NamedClasses.of(dataset).colours[0] == (expected,) * 3
    assert len(NamedClasses.of(dataset).colours) == 2


def test_names_at_other_indices_are_refused():
    own = NamedClasses(("ground", "road", "sky"), ((0, 0, 0),) * 3)
    for names in (
        ("ground", "road", "sky"),
        ("class 0", "class 1", "class 2"),
        ("ground", "street", "sky", "car"),
    ):
        own.require_places(names, "folder:my")
    with pytest.raises(ValueError, match="folder:my: the class 'road' has index 2 there, and 1 in the data"):
        own.require_places(("ground", "sky", "road"), "folder:my")


def test_a_file_without_them_has_none():
    assert NamedClasses.from_metadata({}, 2) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        (json.dumps(TWO | {"names": ["a"]}), "1 names and 2 colours"),
        (json.dumps(TWO | {"names": ["a", 2]}), "classes.names"),
        (
            json.dumps(TWO | {"colours": [[0, 0, 0], [256, 0, 0]]}),
            r"colour \(256, 0, 0\): expected .* 0 to 255",
        ),
        (json.dumps(TWO | {"colours": [[0, 0, 0], [0, 0]]}), "classes.colours"),
        (json.dumps({"names": ["a", "b"]}), "has no 'colours'"),
        (json.dumps({"names": ["a"], "colours": [[0, 0, 0]]}), "names of 1 classes, for a model of 2"),
    ],
)
def test_a_changed_text_is_refused(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        NamedClasses.from_metadata({CLASSES_KEY: text}, 2)


@pytest.mark.parametrize(
    ("names", "colours", "message"),
    [
        (("ground", "road", "sky"), "kgr", None),
        # Named by now, or shown in another colour.
        (("ground", "road", "class 2"), "kgr", None),
        (("ground", "road", "sky"), "kgb", None),
        (
            ("road", "ground", "sky"),
            "kgr",
            "photos: class 0 was 'ground' when the run began, and is 'road' now; ",
        ),
        (
            ("ground", "road", "car"),
            "kgr",
            "photos: class 2 was 'sky' when the run began, and is 'car' now; ",
        ),
        (
            ("ground", "road", "sky"),
            "krg",
            r"photos: the colour \(255, 0, 0\) was that of 'sky' when the run began, and is that of 'road' now; ",
        ),
    ],
)
def test_labels_that_no_longer_mean_what_they_did_are_refused(names, colours, message):
    known = {"k": (0, 0, 0), "g": (0, 255, 0), "r": (255, 0, 0), "b": (0, 0, 255)}
    before = NamedClasses(("ground", "road", "sky"), tuple(known[c] for c in "kgr"))
    now = NamedClasses(names, tuple(known[c] for c in colours))
    if message is None:
        before.require_unchanged(now, "photos")
        return
    with pytest.raises(ValueError, match=f"^{message}give the classes as they were, or start a new run"):
        before.require_unchanged(now, "photos")
