"""The number of pictures of a split, and what is refused."""

import pytest

from dlv3.data.errors import DataError
from dlv3.data.made.splits import check_split

DEFAULTS = {"train": 2000, "val": 300}


def test_number_is_the_default_or_the_one_asked_for():
    assert check_split("made-up", "val", None, 0, DEFAULTS) == 300
    assert check_split("made-up", "val", 7, 0, DEFAULTS) == 7


@pytest.mark.parametrize(
    ("split", "pictures", "seed", "message"),
    [
        ("test", None, 0, "split='test' of made-up: expected one of train, val"),
        ("train", 0, 0, "pictures=0 of made-up: expected at least 1, or None for 2,000"),
        ("train", None, -1, "seed=-1 of made-up: expected a whole number from 0 to .*"),
        ("train", None, 2**64, "seed=18446744073709551616 of made-up: expected a whole number from 0 to .*"),
    ],
)
def test_what_is_not_possible_is_named(split: str, pictures: int | None, seed: int, message: str):
    with pytest.raises(DataError, match=f"^{message}$"):
        check_split("made-up", split, pictures, seed, DEFAULTS)
