"""tyro's complaints about the arguments, as one line each.

tyro offers its findings as values in a module that it calls private and may change. `dlv3.cli.parsing` does without
this file if the import fails, and what is not known here is left to tyro's own text.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from tyro._errors import (
    BadValue,
    InstantiationFailure,
    InvalidChoice,
    MissingArgs,
    ParseErrorEvent,
    UnrecognizedArgs,
    on_parse_error,
)

from dlv3.ranges import said_in

if TYPE_CHECKING:
    from tyro._arguments import ArgumentDefinition

_GIVEN = (
    r"(?:no type matching .* could be instantiated from|Could not find valid parse for arguments:) "
    r"\[(.*?)\](?:\.|$)"
)


def complaints_to(refuse: Callable[[str], None]) -> AbstractContextManager[None]:
    """Call `refuse` with one line when tyro finds something wrong.

    Args:
        refuse: raises an error. If it returns, or if there is no line, tyro prints its own text and exits.
    """

    def hook(event: ParseErrorEvent, /) -> None:
        try:
            line = describe(event)
        except AttributeError:  # another version of tyro
            return
        if line is not None:
            refuse(line)

    return on_parse_error(hook)


def describe(event: ParseErrorEvent) -> str | None:
    """Say in one line what is wrong. None for what the commands' arguments cannot cause."""
    if isinstance(event, MissingArgs):
        missing = ", ".join(_with_help(missing.arg) for missing in event.missing_arguments)
        unknown = event.unrecognized_tokens
        return f"missing: {missing}" + (f"; {_unrecognized(unknown)}" if unknown else "")
    if isinstance(event, UnrecognizedArgs):
        return _unrecognized(event.tokens)
    if isinstance(event, InvalidChoice):
        choices = ", ".join(event.choices)
        return f"{event.argument.display_name()}: invalid choice {event.value!r}, expected one of {choices}"
    if isinstance(event, BadValue):
        return f"missing value: expected {_with_values(event.argument)}"
    if isinstance(event, InstantiationFailure):
        # Without an argument it is an error of one of our own dataclasses, which names the field.
        if event.argument is None:
            return event.message
        allowed = said_in(event.argument.field.type)
        if allowed is None:
            return f"{_with_values(event.argument)}: {event.message}"
        # Where tyro lists what each of several types said, only the words that were given are kept.
        given = re.match(_GIVEN, event.message, re.DOTALL)
        what, mark = (given[1], ":") if given else (event.message, ";")
        return f"{_with_values(event.argument)}: {what}{mark} expected {allowed.in_words()}"
    return None


def _unrecognized(tokens: list[str]) -> str:
    return f"unrecognized options: {', '.join(tokens)}"


def _with_values(argument: "ArgumentDefinition") -> str:
    """Return the option as the help shows it, such as "--training.scale FLOAT FLOAT"."""
    metavar = argument.lowered.metavar or ""
    if argument.is_positional():
        return metavar or argument.display_name()
    return f"{argument.display_name()} {metavar}".strip()


def _with_help(argument: "ArgumentDefinition") -> str:
    """Return the option and what it is, such as "--out PATH (the folder to write to)"."""
    text = argument.field.helptext
    text = text() if callable(text) else text
    return f"{_with_values(argument)} ({text.strip().rstrip('.')})" if text else _with_values(argument)
