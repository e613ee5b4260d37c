"""A row as a line, and the answers that must agree."""

from dataclasses import replace

import pytest
from made_rows import OURS

from benchmarks.rows import line


def test_a_line_marks_what_is_emulated():
    assert "emulated" not in line(OURS)
    assert "1.87 (1.80–1.93)" in line(OURS)
    assert line(replace(OURS, emulated=True)).endswith("emulated")


@pytest.mark.parametrize(
    ("difference", "dtype", "wrong"),
    [
        (9e-5, "float32", False),
        (2e-4, "float32", True),
        (float("nan"), "float32", True),
        (0.02, "bfloat16", False),
        (None, "float32", False),
    ],
)
def test_float32_alone_has_to_agree(difference, dtype, wrong):
    assert replace(OURS, difference=difference, dtype=dtype).wrong is wrong
