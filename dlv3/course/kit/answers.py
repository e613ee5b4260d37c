"""Steps that the checks of several lessons share: an answer's form first, then the known mistake behind its value."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlv3.course.kit.exercises import Wrong, plain, require, unfinished
from dlv3.course.kit.watching import NOT_DONE

Slips = Iterable[tuple[Any, str]]
"""Pairs of what a known mistake gives and the hint that names the mistake."""


def hint_for(got: Any, slips: Slips, tolerance: float = 1e-6) -> str:
    """Return the hint of the first known mistake that gives `got`, or an empty string.

    Numbers, sequences of numbers and tensors are compared in the same way: the shape, then each value.

    Args:
        got: the learner's.
        slips: the known mistakes, the likeliest first.
        tolerance: the largest difference that counts as equal.
    """
    mine = _values(got)
    if mine is None:
        return ""
    for result, hint in slips:
        theirs = _values(result)
        same_shape = theirs is not None and mine.shape == theirs.shape
        if theirs is not None and same_shape and torch.allclose(mine, theirs, rtol=0, atol=tolerance):
            return hint
    return ""


def _values(value: Any) -> Tensor | None:
    """Return a number, a sequence or a tensor as float64; None for anything else."""
    try:
        return torch.as_tensor(value).detach().double()
    except (TypeError, ValueError, RuntimeError):
        return None


def entries(attempt: Any, keys: Sequence[Any]) -> dict[Any, Any]:
    """Require a dictionary with these keys and no `...` left in it, and return it."""
    names = ", ".join(f"`{key}`" for key in keys)
    require(
        isinstance(attempt, dict) and set(attempt) == set(keys), f"Keep the dictionary with the keys {names}."
    )
    if any(value is ... for value in attempt.values()):
        raise NotImplementedError(NOT_DONE)
    return dict(attempt)


def tensor(got: Any, call: str) -> Tensor:
    """Require a tensor, and return it."""
    unfinished(got, call)
    if not isinstance(got, Tensor):
        raise Wrong(f"{call} gives a {type(got).__name__}, but it should be a tensor.")
    return got


def number(got: Any, call: str) -> float:
    """Require one number, which may be NumPy's or a tensor with one value, and return it as Python's own."""
    unfinished(got, call)
    value = plain(got)
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = f"a tensor of shape {tuple(got.shape)}" if isinstance(got, Tensor) else repr(got)
        raise Wrong(f"{call} gives {shown}, but it should be one number.")
    return value


def several(got: Any, call: str, count: int, what: str) -> list[Any]:
    """Require a tuple or list of `count` values, and return them as a list."""
    unfinished(got, call)
    require(
        isinstance(got, tuple | list) and len(got) == count,
        f"{call} gives {got!r}, but it should be {what}.",
    )
    return list(got)


def sequence(got: Any, call: str, what: str = "a tuple") -> tuple[Any, ...]:
    """Require a sequence, of whatever kind, and return its plain entries as a tuple."""
    unfinished(got, call)
    if isinstance(got, Tensor | np.ndarray):
        got = got.tolist()
    if isinstance(got, str | dict | set | frozenset) or not isinstance(got, Iterable):
        raise Wrong(f"{call} gives {got!r}, but it should be {what}.")
    return tuple(plain(each) for each in got)


def pairs(got: Any, call: str, what: str) -> list[tuple[Any, Any]]:
    """Require a sequence of pairs, of whatever kind, and return it as a list of tuples with plain entries."""
    found = sequence(got, call, what)
    if not all(isinstance(each, tuple | list) and len(each) == 2 for each in found):
        raise Wrong(f"{call} gives {list(found)}, but it should be {what}.")
    return [(first, second) for first, second in found]


def as_pairs(got: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    """Return pairs or triples in the form that lessons go on with: a list of tuples."""
    return [tuple(plain(value) for value in each) for each in got]


def as_rates(got: Iterable[Any]) -> tuple[Any, ...]:
    """Return rates, channels or the like in the form that lessons go on with: a tuple of Python's numbers."""
    return tuple(plain(value) for value in got)


def as_floats(got: Any) -> Tensor:
    """Return a map or a score in the form that lessons go on with: a tensor of 32-bit floats."""
    return torch.as_tensor(got).float()


def whole_rates(rates: Iterable[Any], call: str) -> None:
    """Require that all rates are whole numbers, not floats; NumPy's and a tensor's are."""
    shown = tuple(plain(rate) for rate in rates)
    require(
        all(isinstance(rate, int) for rate in shown),
        f"{call} gives {shown}: a rate is a whole number, divide with `//`.",
    )
