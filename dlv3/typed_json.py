"""Turn JSON that may have been edited or damaged into a dataclass: fields known, values of their fields' types.

    >>> @dataclass
    ... class Point:
    ...     x: int
    >>> build(Point, {"x": "3"}, "point")
    Traceback (most recent call last):
    ValueError: point.x='3': expected int

This file imports nothing of dlv3, so that every package can use it.
"""

import json
import math
import types
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read_object(path: Path, what: str) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Args:
        path: the file.
        what: what it should be, for the message, such as "a record of a run".

    Raises:
        ValueError: the file holds something else; the message names it.
        OSError: it cannot be read.
    """
    try:
        return parse_object(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: not {what} ({error})") from error


def parse_object(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        ValueError: the text is not UTF-8 or not JSON, or it is another kind of value.
    """
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        values = json.loads(decoded, parse_constant=_refuse_number, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    except RecursionError as error:
        raise ValueError("not JSON that dlv3 wrote: nested too deeply") from error
    if not isinstance(values, dict):
        raise ValueError(f"expected a JSON object, got {type(values).__name__}")
    return values


def _refuse_number(text: str) -> float:
    raise ValueError(f"not JSON that dlv3 wrote: the number {_short(text)} is not finite")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def build(cls: type[T], values: object, name: str, *, required: Sequence[str] = ()) -> T:
    """Make a dataclass from plain values; lists become tuples where the field is one.

    Args:
        cls: the dataclass, whose fields may be dataclasses too.
        values: a dictionary of its fields. One with a default may be left out.
        name: stands before the fields' names in messages.
        required: fields that may not be left out although they have a default.

    Raises:
        ValueError: a field that is missing or does not exist, or a value of another type; the message names it.
    """
    if not isinstance(values, dict):
        raise ValueError(f"{name}: expected a JSON object, got {type(values).__name__}")
    hints = get_type_hints(cls)
    known = fields(cls)  # type: ignore[arg-type]  # T is a dataclass, which has no type of its own
    names = [field.name for field in known]
    for key in values:
        if key not in names:
            raise ValueError(f"{name}: {key!r} is not a field of it; expected one of {', '.join(names)}")
    given = {key: value_of(hints[key], value, f"{name}.{key}") for key, value in values.items()}
    for field in known:
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if field.name not in given and (not optional or field.name in required):
            raise ValueError(f"{name}: has no {field.name!r}; expected {_in_words(hints[field.name])}")
    return cls(**given)


def value_of(hint: Any, value: object, name: str) -> Any:
    """Return a plain value as its field has it.

    Args:
        hint: the field's type: a dataclass, bool, int, float, str, None, Any, or a tuple, list, dict, Literal or union
            of these.
        value: the value from JSON.
        name: of the field, for the message.

    Raises:
        ValueError: the value is of another type.
    """
    if isinstance(hint, type) and is_dataclass(hint):
        return build(hint, value, name)
    found = _fitting(hint, value, name)
    if found is _UNFIT:
        raise ValueError(f"{name}={_short(value)}: expected {_in_words(hint)}")
    return found


_UNFIT = object()


def _fitting(hint: Any, value: object, name: str) -> Any:
    """Return the value as the hint has it, or `_UNFIT`."""
    origin, options = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        found = (_fitting(option, value, name) for option in options)
        return next((item for item in found if item is not _UNFIT), _UNFIT)
    if origin is Literal:
        same = any(type(value) is type(option) and value == option for option in options)
        return value if same else _UNFIT
    if origin in (tuple, list):
        return _sequence(origin, options, value, name)
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            return _UNFIT
        return {key: value_of(options[1], item, f"{name}.{key}") for key, item in value.items()}
    return value if _is_plain(hint, value) else _UNFIT


def _sequence(origin: type, options: tuple[Any, ...], value: object, name: str) -> Any:
    if not isinstance(value, list | tuple):
        return _UNFIT
    if origin is list or options[1:] == (...,):
        options = options[:1] * len(value)
    if len(options) != len(value):
        return _UNFIT
    items = [_fitting(option, item, name) for option, item in zip(options, value, strict=True)]
    return _UNFIT if any(item is _UNFIT for item in items) else origin(items)


def _is_plain(hint: Any, value: object) -> bool:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return abs(value) < 2**1023  # a larger one does not fit a float
    return type(value) is hint or (hint in (None, type(None)) and value is None)


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if isinstance(hint, type) and is_dataclass(hint):
        return "a JSON object"
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
