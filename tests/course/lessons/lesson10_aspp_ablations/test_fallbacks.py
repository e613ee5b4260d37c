"""The answers that the lesson continues with while an exercise is not solved pass that exercise's check."""

import pytest

from dlv3.course.kit.exercises import check
from dlv3.course.lessons.lesson10_aspp_ablations import checks, checks_heads


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("10/could-be-best", checks.candidates),
        ("10/largest-rate", checks.largest_valid_rate),
        ("10/reading", checks.meaning),
        ("10/equal-widths", checks_heads.shared_widths),
    ],
)
def test_fallback_passes_its_check(name, answer):
    result = check(name, answer)
    assert result.passed, repr(result)
