"""What a field's annotation says is what the field may have, in the check, in the message and in the help."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pytest

from dlv3.ranges import Each, Number, OneOf, Whole, allowed_by, check_fields, said_in

KINDS = [
    (Whole(1, 9), [1, 9], [0, 10, 1.0, True, "1", None], "a whole number from 1 to 9"),
    (Whole(0, 2**63 - 1), [2**63 - 1], [-1, 2**63], "a whole number from 0 to 2**63 - 1"),
    (Number(0, 1), [0, 0.5, 1.0, np.float32(0.3)], [-0.1, 10**400, 1.1, math.nan, True, "1"], "a number from 0 to 1"),
    (Number(0, 10**4, above=True), [1e-300, 10**4], [0, 0.0, math.inf], "a number from above 0 to 10000"),
    (Number(0, 1, below=True), [0, 0.9997], [1, 1.0], "a number from 0 to below 1"),
    (Number(0.5, 2, also=0), [0, 0.5, 2], [0.4, -0.0001], "0, or a number from 0.5 to 2"),
    (OneOf((4, 5)), [4, 5], [6, 4.0], "one of 4, 5"),
    (Each(Whole(1, 9)), [(), (1, 9)], [(0,), [1], 1, (1,) * 65], "a tuple of at most 64 whole numbers from 1 to 9"),
    (Each(Number(0, 1), 2, 2), [(0.0, 1.0)], [(0.0,), (0.0, math.nan)], "a tuple of 2 numbers from 0 to 1"),
    (Each(Number(0, 1), fewest=1), [(1.0,)], [()], "a tuple of 1 to 64 numbers from 0 to 1"),
    (allowed_by(bool), [True, False], [0, 1, None], "True or False"),
    (allowed_by(Literal["a", "b"]), ["a"], ["c", None], "one of 'a', 'b'"),
    (allowed_by(Annotated[int, Whole(1, 9)] | None), [None, 9], [0], "a whole number from 1 to 9, or None"),
    (allowed_by(Annotated[int | None, Whole(1, 9)]), [9], [0], "a whole number from 1 to 9"),
]  # fmt: skip


@pytest.mark.parametrize(("allowed", "right", "wrong", "words"), KINDS)
def test_values_inside_are_allowed_and_those_outside_are_not(allowed, right, wrong, words):
    assert all(map(allowed.allows, right))
    assert not any(map(allowed.allows, wrong))
    assert allowed.in_words() == words


def test_annotation_without_a_range_allows_anything():
    assert [allowed_by(hint) for hint in (int, str, float | None, tuple[str, ...], int | str)] == [None] * 5
    assert said_in(Literal["a"]) is None
    assert said_in(Annotated[int, Whole(1, 9), "more"] | None).in_brief() == "1 to 9"


@dataclass(frozen=True)
class Options:
    side: Annotated[int, Whole(1, 1024, "a side")] = 65
    rates: Annotated[tuple[int, ...], Each(Whole(1, 9))] = ()
    names: tuple[str, ...] = ()
    kind: Literal["round", "square"] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "options.")


def test_every_field_is_checked_and_named_with_its_value():
    assert Options(rates=[1, 2]) == Options(rates=(1, 2))
    with pytest.raises(
        ValueError, match=r"^options\.side=0: expected a whole number from 1 to 1024 \(a side\)$"
    ):
        Options(side=0)
    with pytest.raises(ValueError, match=r"^options\.rates=\(1, 10\): expected "):
        Options(rates=[1, 10])
    with pytest.raises(
        ValueError, match=r"^options\.kind='flat': expected one of 'round', 'square', or None$"
    ):
        Options(kind="flat")
