r"""Text as a terminal may show it: names of files and classes, and values of received files, are not trusted.

An escape character in a file's name can clear the screen or hide a line; a newline can forge one. They are shown as
Python writes them:

    >>> printable("red\x1b[31m.png")
    'red\\x1b[31m.png'
"""

import sys
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TextIO

# Control characters, halves of characters (bytes of a file's name that are not UTF-8), separators of lines.
_UNSAFE = ("Cc", "Cs", "Zl", "Zp")
# Format characters that scripts and emoji need; the others turn the direction of a line or hide in it.
_JOINERS = "\u200c\u200d\ufe0f"


def printable(text: object) -> str:
    """Return a value's text as one line without control characters: these become \\x1b, \\n, \\u202e."""
    text = str(text)
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def say(*lines: object, error: bool = False) -> None:
    """Print each value on one line of its own, with `printable`. Everything that the project prints goes through here.

    Args:
        lines: a text of several lines is given as `*text.split("\\n")`, its values made printable before.
        error: print to stderr. A line that cannot be written there is left out, and the work continues.

    Raises:
        OSError: stdout cannot be written to, because its disk is full or its reader has gone.
    """
    stream = sys.stderr if error else sys.stdout
    errors: AbstractContextManager[None] = suppress(OSError) if error else errors_of_stdout()
    with errors:
        for line in lines or ("",):
            print(_encodable(printable(line), stream), file=stream, flush=True)


@contextmanager
def errors_of_stdout() -> Iterator[None]:
    """Name stdout in the error of a print that fails inside the block."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), "standard output") from error


def _shown(character: str) -> str:
    category = unicodedata.category(character)
    unsafe = category in _UNSAFE or (category == "Cf" and character not in _JOINERS)
    return character.encode("unicode_escape").decode() if unsafe else character


def _encodable(line: str, stream: TextIO) -> str:
    """Replace what the terminal's encoding does not have, instead of failing at it."""
    encoding = stream.encoding or "utf-8"
    return line.encode(encoding, "backslashreplace").decode(encoding)
