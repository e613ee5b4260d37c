"""Checks of fields and arguments. An error names the field, its value and what is allowed.

    >>> require_whole("rate", 0)
    Traceback (most recent call last):
    ValueError: rate=0: expected a whole number of at least 1

This file imports nothing from dlv3, so that every package can use it.
"""

from collections.abc import Sequence
from typing import TypeGuard

_LONG = 120  # characters of a value in a message


def is_whole(value: object, minimum: int = 1) -> TypeGuard[int]:
    """Tell whether a value is an int of at least `minimum`. True and 2.0 are not whole numbers here."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def require(name: str, value: object, holds: bool, allowed: str) -> None:
    """Raise an error unless a condition holds.

    Args:
        name: the field as its user writes it, such as "training.batch_size".
        value: the field's value, shown in the message.
        holds: the condition.
        allowed: the allowed values in words; the message says "expected" and then this.

    Raises:
        ValueError: the condition does not hold.
    """
    if not holds:
        raise ValueError(f"{name}={shortened(value)}: expected {allowed}")


def shortened(value: object) -> str:
    """Return a value as a message shows it, cut where it is long."""
    try:
        text = repr(value)
    # Python writes no integer of more than 4300 digits.
    except ValueError:
        return "(a number of thousands of digits)"
    return text if len(text) <= _LONG else f"{text[:_LONG]}…"


def require_whole(name: str, value: object, minimum: int = 1) -> None:
    """Raise an error unless a value is a whole number of at least `minimum`.

    Raises:
        ValueError: it is not.
    """
    require(name, value, is_whole(value, minimum), f"a whole number of at least {minimum}")


def require_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise an error unless a value is one of the choices, in type too: 4.0 is not 4.

    Raises:
        ValueError: it is not.
    """
    known = any(type(value) is type(choice) and value == choice for choice in choices)
    require(name, value, known, "one of " + ", ".join(repr(choice) for choice in choices))
