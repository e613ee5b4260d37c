"""The answers that the lesson continues with while an exercise is not solved pass that exercise's check."""

import pytest

from dlv3.course.kit.exercises import check
from dlv3.course.lessons.lesson11_where_it_shows import checks, checks_control


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("11/stretched-truth", checks.stretched),
        ("11/how-far", checks.needed),
        ("11/by-reach", checks.by_reach),
        ("11/credit", checks_control.credited),
    ],
)
def test_fallback_passes_its_check(name, answer):
    result = check(name, answer)
    assert result.passed, repr(result)
