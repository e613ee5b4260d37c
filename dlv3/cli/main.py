"""The command line: `dlv3 train | evaluate | predict | export | ablate | data | lab`.

A command's module is imported when the command is called, so that `dlv3 --help` does not wait for torch. An error that
a user can cause ends in one line on stderr, `dlv3: error: …`, and exit status 2; DLV3_DEBUG=1 shows the traceback too.
"""

import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import NamedTuple, TextIO

from dlv3.cli.errors import BAD_INPUT, BROKEN_PIPE, INTERRUPTED, print_error, print_line, status_of
from dlv3.printed import errors_of_stdout, printable, say


class Command(NamedTuple):
    """A command: what it does, for the help, and the module whose `main(argv)` runs it and returns the exit status."""

    summary: str
    module: str


COMMANDS = {
    "train": Command("train a model on made scenes, a folder of photos and masks, or PASCAL VOC", "train"),
    "evaluate": Command("score a trained model on whole images", "evaluate"),
    "predict": Command("colour photos by class", "predict"),
    "export": Command("write a trained model as ONNX, or as the .pt2 of torch.export", "export"),
    "ablate": Command("run the paper's tables, and report what was recorded", "ablate"),
    "data": Command("check, fetch or make what trainings start from", "data"),
    "lab": Command("open the course in JupyterLab", "lab"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments; those of the process when left out.

    Returns:
        The exit status: 0, or 2 for bad input, 1 where some of it failed, 128 plus a signal's number.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        with _streams_kept_usable(), _warnings_as_lines(), _sigterm_is_one_line():
            if argv[:1] == ["--version"]:
                from dlv3 import __version__

                say(f"dlv3 {__version__}")
                return 0
            return dispatch(COMMANDS, argv, "dlv3", "DeepLabv3: train, evaluate and predict.")
    except BrokenPipeError:
        print_error("the output's reader has gone (broken pipe)")
        return BROKEN_PIPE
    except SystemExit as stop:
        if isinstance(stop.code, int | None):
            return stop.code or 0
        return BAD_INPUT
    except KeyboardInterrupt:
        print_line("dlv3: interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("DLV3_DEBUG"):
            traceback.print_exc()
        status = status_of(error)
        if status is None:
            raise
        return status


@contextmanager
def _streams_kept_usable() -> Iterator[None]:
    """Give a process that was started without stdout or stderr a place to print to, and leave nothing to be written.

    What cannot be written, Python would write at its end, and complain.
    """
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        yield
    finally:
        try:
            with errors_of_stdout():
                sys.stdout.flush()
        except OSError:
            sys.stdout = _nowhere()
            raise


def _nowhere() -> TextIO:
    return open(os.devnull, "w")


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print each warning as one line, `dlv3: warning: …`, without the place in the code that it comes from."""
    kept = warnings.formatwarning

    def one_line(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        return f"dlv3: warning: {printable(' '.join(str(message).split()))}\n"

    with warnings.catch_warnings():
        # Pillow's, about large pictures; those that are too large are refused with their size.
        warnings.filterwarnings("ignore", "Image size .* could be decompression bomb")
        warnings.formatwarning = one_line
        try:
            yield
        finally:
            warnings.formatwarning = kept


@contextmanager
def _sigterm_is_one_line() -> Iterator[None]:
    """End on SIGTERM with one line and status 143 where nothing else handles it, as a training does."""
    process = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # a loader's worker was forked with this handler
            os._exit(128 + number)
        print_line("dlv3: stopped by SIGTERM")
        raise SystemExit(128 + number)

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def dispatch(commands: Mapping[str, Command], argv: Sequence[str], prog: str, summary: str) -> int:
    """Run the command that `argv` begins with, or print the list of commands. Returns the exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        say(*_help(commands, prog, summary).split("\n"))
        return 0 if argv else BAD_INPUT
    name, *rest = argv
    if name not in commands:
        print_error(f"{name!r} is not a command; expected one of {', '.join(commands)} (see {prog} --help)")
        return BAD_INPUT
    status: int = import_module(f"dlv3.cli.{commands[name].module}").main(rest)
    return status


def _help(commands: Mapping[str, Command], prog: str, summary: str) -> str:
    width = max(map(len, commands))
    lines = "\n".join(f"  {name:<{width}}  {command.summary}" for name, command in commands.items())
    return (
        f"usage: {prog} COMMAND [OPTIONS]\n\n{summary}\n\ncommands:\n{lines}\n\n"
        f"Each has its own options: {prog} COMMAND --help"
    )
