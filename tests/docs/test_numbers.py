"""The pages read typed numbers as the lessons do."""

import math

from dlv3.course.kit import javascript
from dlv3.course.kit.read_number import as_percent, read_number
from docs.settings import ROOT

TYPED = (
    "483 px", "5.3x", "414,872", "18.4 %", "3/8", "4.5 million", "about 500", "-2", "\u22122", "1.5e3", "12,5", "4,5",
    "1 000", "3/0", "five", "", "12 or 13", "0.184", "7k", "~ 9 layers", ".5", "1,2,3", "100%",
)  # fmt: skip


def test_typed_numbers_are_read_as_in_the_lessons():
    script = (ROOT / "docs" / "static" / "numbers.js").read_text(encoding="utf-8")
    read = javascript.run(script, "texts.map((text) => dlv3ReadNumber(text))", texts=TYPED)
    for text, number in zip(TYPED, read, strict=True):
        expected = read_number(text)
        assert (number is None) == (expected is None), text
        assert expected is None or math.isclose(number, expected), text
    shares = [("0.184", 0.184, 18.0), ("0.184%", 0.184, 18.0), ("0.2", 0.2, 0.5), ("12", 12.0, 18.0)]
    percent = javascript.run(script, "shares.map((share) => dlv3AsPercent(...share))", shares=shares)
    assert percent == [as_percent(*share) for share in shares]
