"""The splits of the made data sets: how many pictures, and which seeds."""

from collections.abc import Mapping

from dlv3.data.errors import DataError
from dlv3.ranges import SEED


def check_split(name: str, split: str, pictures: int | None, seed: int, defaults: Mapping[str, int]) -> int:
    """Return the number of pictures of a split.

    Args:
        name: the data set's, for the error.
        split: a key of `defaults`.
        pictures: the number that is asked for; None for the default.
        seed: 0 or more.
        defaults: the number of pictures of each split.

    Raises:
        DataError: an unknown split, fewer than one picture or a seed out of range.
    """
    if split not in defaults:
        raise DataError(f"split={split!r} of {name}: expected one of {', '.join(defaults)}")
    if pictures is not None and pictures < 1:
        raise DataError(
            f"pictures={pictures} of {name}: expected at least 1, or None for {defaults[split]:,}"
        )
    if not SEED.allows(seed):
        raise DataError(f"seed={seed} of {name}: expected {SEED.in_words()}")
    return defaults[split] if pictures is None else pictures
