"""What reaches a terminal: no control character of a file's name, a class or received JSON."""

import ast
import io
import sys
from pathlib import Path

import pytest

import dlv3
from dlv3.printed import printable, say


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo 1.png", "photo 1.png"),
        ("größe ☂ 写真 👩‍🚀.png", "größe ☂ 写真 👩‍🚀.png"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\x00\x7f\x9b", r"a\x00\x7f\x9b"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("gnp.\u202etxt", r"gnp.\u202etxt"),
        ("not utf-8: \udcff", r"not utf-8: \udcff"),
        (r"C:\photos", r"C:\photos"),
        (Path("a.png"), "a.png"),
    ],
)
def test_control_characters_are_shown_as_python_writes_them(text: object, shown: str):
    assert printable(text) == shown


def test_each_value_is_one_line(capsys: pytest.CaptureFixture[str]):
    say("a\nb", Path("c\x1b"))
    say("d", error=True)
    say()
    assert capsys.readouterr() == ("a\\nb\nc\\x1b\n\n", "d\n")


def test_what_the_terminal_cannot_show_is_no_error(monkeypatch: pytest.MonkeyPatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    say("größe \udcff")
    stream.flush()
    assert stream.buffer.getvalue() == b"gr\\xf6\\xdfe \\udcff\n"


def prints(source: str) -> list[str]:
    """The calls in a source that print something as it is."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name == "print" or name in ("sys.stderr.write", "sys.stdout.write", "sys.stderr.writelines"):
            found.append(name)
        if name.endswith(("tqdm.write", "bar.write")) and not ast.unparse(node.args[0]).startswith(
            "printable("
        ):
            found.append(name)
    return found


def test_every_line_is_printed_in_the_one_way():
    root = Path(dlv3.__file__).parent
    # What the lessons print goes into a notebook, which escapes it.
    files = [path for path in root.rglob("*.py") if "course" not in path.parts and path.name != "printed.py"]
    found = {path.relative_to(root).as_posix(): prints(path.read_text(encoding="utf-8")) for path in files}
    assert {path: calls for path, calls in found.items() if calls} == {}, "print with dlv3.printed.say"


@pytest.mark.parametrize(
    "source", ["print(a)", "sys.stderr.write(a)", "tqdm.write(a)", "self._bar.write(a, file=sys.stderr)"]
)
def test_call_that_prints_is_found(source: str):
    assert len(prints(source)) == 1


@pytest.mark.parametrize("source", ["say(a)", "tqdm.write(printable(a))", "self._bar.write(printable(a))"])
def test_call_that_escapes_is_not_found(source: str):
    assert prints(source) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_behind_stdout_is_named_and_behind_stderr_ends_nothing(monkeypatch: pytest.MonkeyPatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, open("/dev/full", "w", buffering=1))  # noqa: SIM115  it cannot be closed
    with pytest.raises(OSError, match="No space left on device: 'standard output'"):
        say("a")
    say("b", error=True)
