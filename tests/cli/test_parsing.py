"""From words to a dataclass, or to one line about what is wrong with them."""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

import pytest
import tyro

from dlv3.cli.parsing import ArgumentsError, parse
from dlv3.ranges import Each, Number, Whole, allowed_by


@dataclass(frozen=True)
class Inner:
    """A group of options."""

    size: int = 3
    """Pixels."""

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"inner.size={self.size}: expected at least 1")


@dataclass(frozen=True)
class Arguments:
    """Arguments of a made-up command."""

    out: Path
    """The folder to write to."""
    kind: Literal["round", "square"] = "round"
    scale: tuple[float, float] = (0.5, 2.0)
    inner: Inner = field(default_factory=Inner)
    threads: Annotated[int, Whole(1, 1024)] | None = None
    rates: Annotated[tuple[float, ...], Each(Number(0, 1))] = (0.5,)
    quiet: tyro.conf.FlagCreatePairsOff[bool] = False


def error_of(*words: str) -> str:
    with pytest.raises(ArgumentsError) as raised:
        parse(Arguments, words, "dlv3 made-up")
    return str(raised.value)


def test_words_become_the_dataclass():
    found = parse(Arguments, ["--out", "a", "--scale", "1", "2", "--inner.size", "4"], "dlv3 made-up")
    assert found == Arguments(Path("a"), scale=(1.0, 2.0), inner=Inner(4))


def test_defaults_can_be_given():
    default = Arguments(Path("a"), kind="square")
    assert parse(Arguments, [], "dlv3 made-up", default) is not None
    assert parse(Arguments, ["--out", "b"], "dlv3 made-up", default) == Arguments(Path("b"), kind="square")


def test_help_is_printed_and_ends(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as stop:
        parse(Arguments, ["--help"], "dlv3 made-up")
    assert not stop.value.code
    assert "usage: dlv3 made-up" in capsys.readouterr().out


WRONG = [
    ([], "missing: --out PATH (The folder to write to)"),
    (["--frob"], "missing: --out PATH (The folder to write to); unrecognized options: --frob"),
    (["--out", "a", "--frob", "3"], "unrecognized options: --frob, 3"),
    (["--out", "a", "--quiet=yes"], "--quiet=yes: this option takes no value"),
    (["--out", "a", "--kind", "flat"], "--kind: invalid choice 'flat', expected one of round, square"),
    (["--out", "a", "--scale", "1"], "missing value: expected --scale FLOAT FLOAT"),
    (["--out", "a", "--inner.size", "x"], "--inner.size INT: invalid literal for int() with base 10: 'x'"),
    (["--out", "a", "--inner.size", "0"], "inner.size=0: expected at least 1"),
]
OUTSIDE = [
    (["--out", "a", "--threads", "0"], "--threads 0: expected a whole number from 1 to 1024, or None"),
    (
        ["--out", "a", "--rates", "0", "nan"],
        "--rates (0.0, nan): expected a tuple of at most 64 numbers from 0 to 1",
    ),
]


@pytest.mark.parametrize(("words", "message"), WRONG + OUTSIDE)
def test_wrong_words_are_one_line_that_names_the_option(
    words: list[str], message: str, capsys: pytest.CaptureFixture
):
    assert error_of(*words) == f"{message} (see dlv3 made-up --help)"
    assert capsys.readouterr() == ("", "")


def test_text_in_the_place_of_a_number_is_told_the_range_too():
    message = error_of("--out", "a", "--threads", "1e2")
    allowed = "expected a whole number from 1 to 1024, or None (see dlv3 made-up --help)"
    assert message == f"--threads {{None}}|INT: '1e2': {allowed}"
    message = error_of("--out", "a", "--rates", "x")
    assert message.startswith("--rates [FLOAT [FLOAT ...]]: 'x': expected a tuple of at most 64 numbers")


def test_help_says_the_range_beside_the_default(capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit):
        parse(Arguments, ["--help"], "dlv3 made-up")
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "(1 to 1024; default: None)" in text
    assert "(at most 64 values, each 0 to 1; default: 0.5)" in text
    # Where the choices are shown already, or there is no range, tyro's own words stay.
    assert "(default: round)" in text
    assert "(default: 0.5 2.0)" in text


def options_of(arguments: type, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every option of a command, with its annotation."""
    for name, hint in get_type_hints(arguments, include_extras=True).items():
        plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if is_dataclass(plain):
            yield from options_of(plain, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", hint


def types_in(hint: object) -> Iterator[object]:
    """An annotation's types: int and None in Annotated[int, …] | None."""
    yield hint
    for part in get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint):
        yield from types_in(part)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("train", "TrainArguments"),
        ("evaluate", "EvaluateArguments"),
        ("predict", "PredictArguments"),
        ("export", "ExportArguments"),
        ("ablate", "AblateArguments"),
        ("check", "CheckArguments"),
        ("pretrain", "PretrainConfig"),
        ("lab", "LabArguments"),
        ("voc", "VocArguments"),
    ],
)
def test_every_number_that_a_user_gives_has_a_range(command: str, arguments: str):
    found = getattr(import_module(f"dlv3.cli.{command}"), arguments)
    numbers = {name: hint for name, hint in options_of(found) if {int, float} & set(types_in(hint))}
    without = {
        name for name, hint in numbers.items() if allowed_by(hint) is None and "Suppress" not in str(hint)
    }
    # The model's own output stride is checked against its network, whose message says what it can have.
    assert without <= {"model.output_stride"}


@pytest.mark.parametrize("words", [words for words, _ in WRONG])
def test_message_does_not_depend_on_the_terminal(words: list[str], monkeypatch: pytest.MonkeyPatch):
    usual = error_of(*words)
    with monkeypatch.context() as patch:
        # Without an encoding, tyro draws with ASCII; in a narrow terminal, it breaks lines.
        patch.setattr(sys, "stdout", io.StringIO())
        patch.setenv("COLUMNS", "20")
        assert error_of(*words) == usual


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_without_tyros_private_module_tyros_own_text_is_printed(
    words: list[str], message: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    # As if another version of tyro had no such module: None in sys.modules makes its import fail.
    monkeypatch.setitem(sys.modules, "dlv3.cli.complaints", None)
    assert error_of(*words) == "the arguments cannot be used; see above (see dlv3 made-up --help)"
    assert "dlv3 made-up --help" in capsys.readouterr().err


def test_event_without_the_expected_fields_is_left_to_tyro(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    def other_version(event: object) -> str:
        raise AttributeError("another version's event")

    monkeypatch.setattr("dlv3.cli.complaints.describe", other_version)
    assert error_of("--out", "a", "--frob").startswith("the arguments cannot be used; see above")
    assert "--frob" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "option"),
    [(["--out", ""], "--out"), (["--out="], "--out"), (["", "--out", "a"], "an argument")],
)
def test_empty_value_is_refused(words: list[str], option: str):
    assert error_of(*words) == f"{option}: the value is empty (see dlv3 made-up --help)"


def test_nul_character_is_refused():
    assert error_of("--out", "a\0b").startswith("a\\x00b: no path or value has a NUL character")
