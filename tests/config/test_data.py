"""Options of the data sets that make no sense are refused with the field's name."""

import pytest

from dlv3.config.data import DataConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ignore", (-1,)),
        ("ignore", (0.5,)),
        ("num_classes", 1),
        ("num_classes", 256),
        ("image_bits", 8),
        ("size", 128),
        ("size", 10**9),
        ("scene_cue", "no"),
        ("pictures", 0),
        ("pictures", 10**12),
        ("seed", -1),
        ("seed", 2**64),
        ("voc_train", "test"),
        ("year", "2013"),
        ("bootstrap_copies", -1),
    ],
)
def test_bad_value_is_named(field: str, value: object):
    with pytest.raises(ValueError, match=rf"^{field}=.*: expected "):
        DataConfig(**{field: value})


def test_one_kind_of_object_is_explained():
    with pytest.raises(
        ValueError, match="from 2 to 255 .255 means no label; one kind of object makes two classes"
    ):
        DataConfig(num_classes=1)


def test_lists_from_json_become_tuples():
    assert DataConfig(ignore=[11, 255]).ignore == (11, 255)
