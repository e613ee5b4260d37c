"""The command line's options, read from the parsers that the commands use."""

import html
import re
import warnings
from argparse import SUPPRESS
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any
from unittest.mock import patch

import tyro

from dlv3.cli import data
from dlv3.cli.main import COMMANDS


class _Asked(Exception):  # noqa: N818  it carries what a command would parse
    """Raised in place of parsing, with the dataclass, the program's name and the defaults."""


def command_pages() -> dict[str, str]:
    """Return a page for each command, by file name."""
    pages = {}
    for name, command in COMMANDS.items():
        if name == "data":
            sections = [f"# dlv3 data\n\n{_sentence(command.summary)}"]
            for sub, each in data.COMMANDS.items():
                sections.append(f"## dlv3 data {sub}\n\n{_options(parser(each.module), '###')}")
        else:
            sections = [f"# dlv3 {name}\n\n{_options(parser(command.module), '##')}"]
        pages[f"command-{name}.md"] = "\n\n".join(sections) + "\n"
    return pages


def parser(module: str) -> Any:
    """Return the parser of a command: what argparse would have, as tyro makes it."""
    command = import_module(f"dlv3.cli.{module}")

    def stop(arguments: type, argv: Sequence[str], prog: str, default: Any = None) -> None:
        raise _Asked(arguments, prog, default)

    with patch.object(command, "parse", stop):
        try:
            command.main([])
        except _Asked as asked:
            arguments, prog, default = asked.args
            given = {} if default is None else {"default": default}
            with warnings.catch_warnings():
                # tyro means to drop it, and its public functions have no other way to the options than as help text.
                warnings.filterwarnings("ignore", r"get_parser\(\) is deprecated", DeprecationWarning)
                return tyro.extras.get_parser(arguments, prog=prog, **given)
    raise ValueError(f"dlv3.cli.{module}: it parses no arguments")


def _options(made: Any, level: str) -> str:
    about = "\n\n".join(part.replace("\n", " ") for part in (made.description or "").split("\n\n"))
    return "\n\n".join([re.sub(r"(?<![\w`])--[a-z][\w.-]*\w", r"`\g<0>`", about), *_groups(made, level)])


def _groups(made: Any, level: str) -> Iterator[str]:
    for group in made._action_groups:
        rows = [
            _row(action)
            for action in group._group_actions
            if action.help != SUPPRESS and "--help" not in action.option_strings
        ]
        if rows:
            title = (group.title or "").removesuffix(" options").strip()
            yield f'{level} {title[:1].upper()}{title[1:]}\n\n<dl class="dlv3-options">{"".join(rows)}</dl>'


def _row(action: Any) -> str:
    names = ", ".join(action.option_strings) or action.dest
    values = action.metavar if isinstance(action.metavar, str) else " ".join(action.metavar or ())
    words = re.sub(r"\x1b\[[0-9;]*m", "", action.help or "")
    # What an option says when it is left out is not what a reader would write: None, nothing, or not to set a flag.
    if re.search(r"\(default:\s*None\s*\)", words):
        values = values.removeprefix("{None}|").replace("{None,", "{")
    words = re.sub(r"\s*\(default:\s*(None)?\s*\)", "", words)
    if "--no-" not in names:
        words = words.replace("(default: False)", "")
    return (
        f"<dt><code>{html.escape(names)}</code> <span>{html.escape(values)}</span></dt>"
        f"<dd>{html.escape(' '.join(words.split()))}</dd>"
    )


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."
