"""The answers that the lesson continues with while an exercise is not solved pass that exercise's check."""

import pytest

from dlv3.course.kit.exercises import check
from dlv3.course.lessons.lesson05_multi_grid import checks


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("05/block-rates", checks.rates_of),
        ("05/two-kinds", checks.holes_of),
        ("05/expected-accuracy", checks.expected),
        ("05/set-multi-grid", checks.set_rates),
    ],
)
def test_fallback_passes_its_check(name, answer):
    result = check(name, answer)
    assert result.passed, repr(result)
