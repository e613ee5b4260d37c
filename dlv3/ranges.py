"""The values that the fields of a dataclass of options may have, said beside their types and checked in one line.

    >>> @dataclass(frozen=True)
    ... class Options:
    ...     side: Annotated[int, Whole(1, 1024)] = 65
    ...
    ...     def __post_init__(self) -> None:
    ...         check_fields(self)
    >>> Options(side=0)
    Traceback (most recent call last):
    ValueError: side=0: expected a whole number from 1 to 1024

The command line reads the same annotations for its help.
"""

import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Protocol,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from dlv3.fields import is_whole, require

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@runtime_checkable
class Allowed(Protocol):
    """The values that a field may have."""

    def allows(self, value: object) -> bool:
        """Tell whether a value is one of them."""

    def in_words(self) -> str:
        """Return them as an error says them, after "expected"."""

    def in_brief(self) -> str:
        """Return them as the help says them, such as "1 to 1024"."""


@dataclass(frozen=True)
class Whole:
    """The whole numbers from `least` to `most`. A note for the error may say why."""

    least: int
    most: int
    note: str = ""

    def allows(self, value: object) -> bool:
        """Tell whether a value is an int in the range."""
        return is_whole(value, self.least) and value <= self.most

    def in_words(self) -> str:
        """Return the range for an error."""
        return f"a whole number from {self.in_brief()}" + (f" ({self.note})" if self.note else "")

    def in_brief(self) -> str:
        """Return the range for the help."""
        return f"{self.least} to {_shown(self.most)}"


@dataclass(frozen=True)
class Number:
    """The numbers from `least` to `most`, and `also` one beside them; `above` and `below` leave out an end."""

    least: float
    most: float
    above: bool = False
    below: bool = False
    also: float | None = None

    def allows(self, value: object) -> bool:
        """Tell whether a value is a finite number in the range."""
        # NumPy's numbers are real ones too.
        if not isinstance(value, Real) or isinstance(value, bool):
            return False
        number = value if isinstance(value, int | float) else float(value)
        inside = self.least <= number <= self.most  # not for NaN
        ends = (self.above and number == self.least) or (self.below and number == self.most)
        return (inside and not ends) or number == self.also

    def in_words(self) -> str:
        """Return the range for an error."""
        return f"{self._beside()}a number from {self._ends()}"

    def in_brief(self) -> str:
        """Return the range for the help."""
        return self._beside() + self._ends()

    def _ends(self) -> str:
        return f"{'above ' * self.above}{self.least} to {'below ' * self.below}{_shown(self.most)}"

    def _beside(self) -> str:
        return "" if self.also is None else f"{self.also}, or "


@dataclass(frozen=True)
class OneOf:
    """Some values, equal in type too: 4.0 is not 4."""

    choices: tuple[object, ...]

    def allows(self, value: object) -> bool:
        """Tell whether a value is one of them."""
        return any(type(value) is type(choice) and value == choice for choice in self.choices)

    def in_words(self) -> str:
        """Return them for an error."""
        if self.choices == (True, False):
            return "True or False"
        return "one of " + ", ".join(repr(choice) for choice in self.choices)

    def in_brief(self) -> str:
        """Return them for the help."""
        return ", ".join(str(choice) for choice in self.choices)


@dataclass(frozen=True)
class Each:
    """A tuple of `fewest` to `most` values of one range."""

    of: Whole | Number
    fewest: int = 0
    most: int = 64
    note: str = ""

    def allows(self, value: object) -> bool:
        """Tell whether a value is such a tuple."""
        count = isinstance(value, tuple) and self.fewest <= len(value) <= self.most
        return count and isinstance(value, tuple) and all(map(self.of.allows, value))

    def in_words(self) -> str:
        """Return them for an error."""
        kind = "whole numbers" if isinstance(self.of, Whole) else "numbers"
        return f"a tuple of {self._count()} {kind} from {self.of.in_brief()}{self.note and ', '}{self.note}"

    def in_brief(self) -> str:
        """Return them for the help."""
        return f"{self._count()} values, each {self.of.in_brief()}"

    def _count(self) -> str:
        if self.fewest == self.most:
            return f"{self.most}"
        return f"{self.fewest} to {self.most}" if self.fewest else f"at most {self.most}"


@dataclass(frozen=True)
class Text:
    """Text of a form, which is said by examples."""

    pattern: str
    examples: str

    def allows(self, value: object) -> bool:
        """Tell whether a value is a text of this form."""
        return isinstance(value, str) and re.fullmatch(self.pattern, value, re.ASCII) is not None

    def in_words(self) -> str:
        """Return the form for an error."""
        return self.examples

    def in_brief(self) -> str:
        """Return the form for the help."""
        return self.examples


Classes = Annotated[int, Whole(2, 65_536, "an object against the rest is two classes, background and object")]
Depth = Annotated[int, OneOf((4, 5, 6, 7))]
"""Blocks of a backbone with its cascade."""
OutputStride = Annotated[int, OneOf(tuple(2**i for i in range(9)))]
"""Which of them are possible depends on the network, which checks it."""
Rate = Annotated[int, Whole(1, 4096)]
Rates = Annotated[tuple[int, ...], Each(Whole(1, 4096))]
Several = Annotated[int, Whole(1, 65_536)]
"""Channels, or pictures in a batch."""
Iterations = Annotated[int, Whole(1, 10**9)]
IterationsOrNone = Annotated[int, Whole(0, 10**9)]
"""0 stands for never."""
Pictures = Annotated[int, Whole(1, 10**7)]
DEVICE = Text(r"auto|cpu|mps|(cuda|xpu)(:\d{1,2})?", "auto, cpu, cuda, cuda:1 or mps")
Device = Annotated[str, DEVICE]
Workers = Annotated[int, Whole(0, 1024)]
SEED = Whole(0, 2**63 - 1)
Seed = Annotated[int, SEED]
SCALE_STEP = Number(0.001, 16, also=0)
"""Between the factors; 0 stands for any factor."""
LearningRate = Annotated[float, Number(0, 1000, above=True)]
SHARE = Number(0, 1)
Share = Annotated[float, SHARE]
Decay = Annotated[float, Number(0, 1, below=True)]
SCALE = Number(0.01, 16)
"""A factor on a picture's size."""
Scales = Annotated[tuple[float, ...], Each(SCALE, fewest=1)]


def check_fields(config: "DataclassInstance", prefix: str = "") -> None:
    """Check each field of a dataclass by its annotation. A list in the place of a tuple becomes one, as from JSON.

    Args:
        config: a dataclass, also a frozen one, in its `__post_init__`.
        prefix: stands before the fields' names in messages, such as "training.".

    Raises:
        ValueError: a field has a value that it may not have.
    """
    for name, allowed in allowed_in(type(config)).items():
        value = getattr(config, name)
        if isinstance(value, list) and isinstance(allowed, Each):
            value = tuple(value)
            object.__setattr__(config, name, value)
        require(prefix + name, value, allowed.allows(value), allowed.in_words())


@lru_cache(maxsize=64)
def allowed_in(cls: "type[DataclassInstance]") -> dict[str, Allowed]:
    """Return the allowed values of a dataclass's fields, by their names, without the fields that may have any."""
    found = {name: allowed_by(hint) for name, hint in get_type_hints(cls, include_extras=True).items()}
    return {name: allowed for name, allowed in found.items() if allowed is not None}


def allowed_by(hint: Any) -> Allowed | None:
    """Return the values that an annotation allows: True and False, a Literal's, or those said in it."""
    if hint is bool:
        return OneOf((True, False))
    if get_origin(hint) is Literal:
        return OneOf(get_args(hint))
    if get_origin(hint) is Annotated:
        return said_in(hint) or allowed_by(get_args(hint)[0])
    return _of_optional(hint, allowed_by)


def said_in(hint: Any) -> Allowed | None:
    """Return the values that are said in an annotation beside its type."""
    if get_origin(hint) is Annotated:
        said = (item for item in hint.__metadata__ if isinstance(item, Allowed))
        return next(said, None) or said_in(get_args(hint)[0])
    return _of_optional(hint, said_in)


def _of_optional(hint: Any, read: Callable[[Any], Allowed | None]) -> Allowed | None:
    """Return the values of "X | None", where X has allowed values."""
    if get_origin(hint) not in (Union, types.UnionType):
        return None
    given = [option for option in get_args(hint) if option is not type(None)]
    allowed = read(given[0]) if len(given) == 1 else None
    return None if allowed is None else _OrNone(allowed)


@dataclass(frozen=True)
class _OrNone:
    """None, or the allowed values of an optional field."""

    given: Allowed

    def allows(self, value: object) -> bool:
        return value is None or self.given.allows(value)

    def in_words(self) -> str:
        return f"{self.given.in_words()}, or None"

    def in_brief(self) -> str:
        return self.given.in_brief()


def _shown(number: float) -> str:
    """Return a number as Python and the command line read it: 1000, 10_000_000, 2**63 - 1."""
    if number == 2**63 - 1:
        return "2**63 - 1"
    return f"{number:_}" if number >= 100_000 else f"{number}"
