"""One reader for the numbers that learners type: "483 px", "5.3x", "414,872", "18.4 %", "3/8", "4.5 million"."""

import re

FORMS = "Write one number, such as 483, 5.3, 414,872, 18.4% or 3/8."
"""What can be read, for a message."""

_DIGITS = r"\d[\d,.'_ ]*(?:e[-+]?\d+)?|\.\d+"
_TYPED = re.compile(
    rf"(?:about|around|approx\.?|roughly|~|≈|=)?\s*(?P<sign>[-+])?\s*(?P<number>{_DIGITS})"
    rf"(?:\s*/\s*(?P<below>{_DIGITS}))?\s*(?P<unit>[a-zµ%×²°./ ]*)",
    re.I,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[, '_]\d{3})+(?:\.\d*)?")
_TIMES = {"k": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "billion": 1e9}


def read_number(text: str) -> float | None:
    """Return the number in a typed answer, without its unit; None if there is not exactly one number.

    A comma before three digits separates thousands, any other comma is a decimal comma.
    """
    plain = re.sub(r"[\u00a0\u2009\u202f]", " ", text).replace("−", "-").strip()
    found = _TYPED.fullmatch(plain)
    if found is None:
        return None
    value = _digits(found["number"])
    if found["below"] is not None and value is not None:
        below = _digits(found["below"])
        value = value / below if below else None
    if value is None:
        return None
    words = found["unit"].split()
    value *= _TIMES.get(words[0], 1.0) if words else 1.0
    return -value if found["sign"] == "-" else value


def as_percent(text: str, value: float, actual: float) -> float:
    """Return a typed share as percent: 0.184 is 18.4, unless the answer itself is below 1% or the text has a %."""
    share = "%" not in text and 0 < abs(value) < 1 <= abs(actual)
    return 100 * value if share else value


def _digits(text: str) -> float | None:
    text = text.strip()
    if _THOUSANDS.fullmatch(text):
        text = re.sub(r"[, '_]", "", text)
    elif text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None
