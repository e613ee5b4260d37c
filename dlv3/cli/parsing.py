"""Turn a command's words into its dataclass of arguments, by tyro, and tyro's complaint into one line."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

Arguments = TypeVar("Arguments")


class ArgumentsError(ValueError):
    """Arguments that a command does not know or cannot use. The message is one line and names the option."""


def parse(
    arguments: type[Arguments], argv: Sequence[str], prog: str, default: Arguments | None = None
) -> Arguments:
    """Parse a command's arguments.

    Args:
        arguments: a dataclass; its fields are the options.
        argv: the words that follow the command's name.
        prog: the command as its user types it.
        default: an instance with other defaults.

    Raises:
        ArgumentsError: an option that is missing, unknown or has a value that it cannot have.
        SystemExit: after printing help.
    """
    for before, word in zip(["", *argv], argv, strict=False):
        # As a path it would be the folder in which the command runs.
        if word == "" or (word.startswith("--") and word.endswith("=")):
            option = word.removesuffix("=") or (before if before.startswith("--") else "an argument")
            raise ArgumentsError(f"{option}: the value is empty (see {prog} --help)")

    import tyro

    def refuse(what: str) -> None:
        raise ArgumentsError(f"{what} (see {prog} --help)")

    try:
        with _complaints_to(refuse):
            if default is None:
                return tyro.cli(arguments, args=argv, prog=prog)
            return tyro.cli(arguments, args=argv, prog=prog, default=default)
    except SystemExit as stop:
        # Without a code, tyro has printed the help. With one, it has printed a complaint in its own form.
        if not stop.code:
            raise
        raise ArgumentsError(f"the arguments cannot be used; see above (see {prog} --help)") from stop


def _complaints_to(refuse: Callable[[str], None]) -> AbstractContextManager[None]:
    """Have tyro call `refuse` with one line instead of drawing a box.

    The module that offers it is tyro's own and may change; where it has, tyro draws its box.
    """
    try:
        from dlv3.cli.complaints import complaints_to
    except ImportError:
        return nullcontext()
    return complaints_to(refuse)
