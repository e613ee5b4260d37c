"""From words to a dataclass, or to one line about what is wrong with them."""

import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from dlv3.cli.parsing import ArgumentsError, parse


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
    (["--out", "a", "--kind", "flat"], "--kind: invalid choice 'flat', expected one of round, square"),
    (["--out", "a", "--scale", "1"], "missing value: expected --scale FLOAT FLOAT"),
    (["--out", "a", "--inner.size", "x"], "--inner.size INT: invalid literal for int() with base 10: 'x'"),
    (["--out", "a", "--inner.size", "0"], "inner.size=0: expected at least 1"),
]


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_words_are_one_line_that_names_the_option(
    words: list[str], message: str, capsys: pytest.CaptureFixture
):
    assert error_of(*words) == f"{message} (see dlv3 made-up --help)"
    assert capsys.readouterr() == ("", "")


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
