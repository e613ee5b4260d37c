"""The answers that the lesson continues with while an exercise is not solved pass that exercise's check."""

import pytest

from dlv3.course.kit.exercises import check
from dlv3.course.lessons.lesson04_cascade import checks


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("04/copied-weights", checks.block_weights),
        ("04/make-cascade", checks.cascade_of),
        ("04/replica", checks.replica_of),
        ("04/cascade-rates", checks.rates_of),
    ],
)
def test_fallback_passes_its_check(name, answer):
    result = check(name, answer)
    assert result.passed, repr(result)
