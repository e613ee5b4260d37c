"""Turn a command's words into its dataclass of arguments, by tyro, and tyro's complaint into one line.

The values that an option may have are said in its annotation (`dlv3.ranges`). Here they are checked, and the help says
them beside the default.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from dlv3.cli.errors import BAD_INPUT
from dlv3.fields import shortened
from dlv3.printed import errors_of_stdout, printable
from dlv3.ranges import allowed_in, said_in

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructTypeInfo

Arguments = TypeVar("Arguments", bound="DataclassInstance")


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
        if "\0" in word:
            raise ArgumentsError(
                f"{printable(word)}: no path or value has a NUL character (see {prog} --help)"
            )

    import tyro

    def refuse(what: str) -> None:
        for word in argv:
            # Of --resume=yes tyro names only the value.
            if word.startswith("--") and what == f"unrecognized options: {word.partition('=')[2]}":
                what = f"{word}: this option takes no value"
        raise ArgumentsError(f"{what} (see {prog} --help)")

    try:
        with errors_of_stdout(), _complaints_to(refuse):
            options: dict[str, Any] = {"args": argv, "prog": prog, "registry": _ranges_in_help()}
            if default is not None:
                options["default"] = default
            found: Arguments = tyro.cli(arguments, **options)
    except SystemExit as stop:
        # Without a code, tyro has printed the help; with 2, a complaint in its own form. SIGTERM has another one.
        if stop.code != BAD_INPUT:
            raise
        raise ArgumentsError(f"the arguments cannot be used; see above (see {prog} --help)") from stop
    # Groups of options are dataclasses that check themselves.
    for name, allowed in allowed_in(arguments).items():
        value = getattr(found, name)
        if not allowed.allows(value):
            option = f"--{name.replace('_', '-')}"
            refuse(f"{option} {shortened(value)}: expected {allowed.in_words()}")
    return found


def _ranges_in_help() -> "ConstructorRegistry":
    """Return rules by which tyro's help says the values of an option beside its default: (1 to 1024; default: 65)."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec

    registry = ConstructorRegistry()
    under_way: list[object] = []

    @registry.struct_rule
    def with_ranges(info: "StructTypeInfo") -> "StructConstructorSpec | None":
        if not is_dataclass(info.type) or info.type in under_way:
            return None
        under_way.append(info.type)
        found = ConstructorRegistry.get_struct_spec(info)  # tyro's own: this rule steps aside
        under_way.pop()
        if not isinstance(found, StructConstructorSpec):
            return None
        return replace(found, fields=tuple(replace(f, type=_with_hint(f.type)) for f in found.fields))

    def _with_hint(hint: Any) -> Any:
        allowed = said_in(hint)
        if allowed is None:
            return hint
        brief = allowed.in_brief()
        return Annotated[
            hint, tyro.conf.arg(help_behavior_hint=lambda default: f"({brief}; default: {default})")
        ]

    return registry


def _complaints_to(refuse: Callable[[str], None]) -> AbstractContextManager[None]:
    """Have tyro call `refuse` with one line instead of drawing a box.

    The module that offers it is tyro's own and may change; where it has, tyro draws its box.
    """
    try:
        from dlv3.cli.complaints import complaints_to
    except ImportError:
        return nullcontext()
    return complaints_to(refuse)
