"""What learners type as a number is read, with its unit, its thousands and its fraction."""

import pytest

from dlv3.course.kit.read_number import as_percent, read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("483", 483),
        ("483 px", 483),
        ("483px", 483),
        ("5.3x", 5.3),
        ("5.3×", 5.3),
        ("5.3 times", 5.3),
        ("414,872", 414_872),
        ("414 872", 414_872),
        ("414\u202f872", 414_872),
        ("1,234,567.5", 1_234_567.5),
        ("18.4 %", 18.4),
        ("18,4%", 18.4),
        ("12,9 ", 12.9),
        ("0.184", 0.184),
        (".5", 0.5),
        ("3/8", 0.375),
        ("3 / 8", 0.375),
        ("about 480", 480),
        ("~480 px", 480),
        ("4.5 million", 4_500_000),
        ("4.5M", 4_500_000),
        ("1e6", 1e6),
        ("−3", -3),
        ("-3 points", -3),
    ],
)
def test_a_number_is_read(text, value):
    assert read_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["many", "", "3 to 5", "10-20", "1.2.3", "1/0", "x5", "twice 7"])
def test_anything_else_is_not(text):
    assert read_number(text) is None


def test_a_share_counts_as_percent_where_percent_are_asked():
    assert as_percent("0.184", 0.184, 18.4) == pytest.approx(18.4)
    assert as_percent("0.184 %", 0.184, 18.4) == 0.184
    assert as_percent("18.4", 18.4, 18.4) == 18.4
    assert as_percent("0.5", 0.5, 0.6) == 0.5
