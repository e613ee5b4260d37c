"""Commands of `dlv3` that are killed, or whose files cannot be written: each a process forked from a warm one.

A command that starts by itself takes seconds to import torch; forked from a process that has run such commands before,
it takes a tenth of a second, and a hundred kills take less than a minute.

A *point* is a moment at which a file is about to change: Python's audit events tell of each file that is opened for
writing, moved or removed, and halves of files are counted beside them. A fault strikes at the n-th point, so that
every state which a kill can leave on the disk is reached, or after some time.
"""

import encodings.utf_8_sig  # noqa: F401  a command that has given up its rights cannot load it
import errno
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import torch
from child_processes import CONTEXT
from profiles import LONG
from torch import nn

from dlv3 import export as exports
from dlv3 import files
from dlv3.cli import main
from dlv3.config import presets
from dlv3.config.run import RunConfig
from dlv3.training.metrics_file import MetricsFile

PATIENCE = 600 if LONG else 120  # seconds; no command takes as long unless it hangs, or the machine is busy
_TINY = presets.preset("tiny")
HANGS = 75  # the status of a command that had to be ended
NOBODY = 65534

Kind = Literal["none", "kill", "term", "full", "denied", "limit", "no root"]


@dataclass(frozen=True)
class Fault:
    """What happens to a command.

    kill, term: it gets SIGKILL or SIGTERM. full: from then on nothing can be written any more. denied: from then on no
    file can be changed. limit: the system itself refuses to write files beyond a size. no root: permissions bind, also
    where the tests are run by the superuser.
    """

    kind: Kind = "none"
    point: int = 0
    """Strikes at this point, from 1."""
    name: str = ""
    """Strikes at the first point of this name instead."""
    size: int = 0
    """In bytes, for limit."""
    after: float | None = None
    """Strikes after so many seconds, for kill and term."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    """The exit status; minus a signal's number."""
    out: str
    err: str
    points: tuple[str, ...]
    """Those that it came to. Where a fault struck, only that one."""
    seconds: float
    """Wall time."""


class WarmProcess:
    """A process that has imported everything, and forks one process for each command.

    Args:
        warm_up: commands to run first, in a folder that is then removed.
    """

    def __init__(self, warm_up: Sequence[Sequence[str]]) -> None:
        self._ours, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_serve, args=(theirs, warm_up))
        self._process.start()
        theirs.close()

    def run(self, command: Sequence[str], folder: Path, fault: Fault | None = None) -> Ended:
        """Run a command in a folder."""
        self._ours.send((command, folder, fault or Fault()))
        if not self._ours.poll(PATIENCE + 60):
            raise TimeoutError(f"{command}: the process that starts the commands does not answer")
        ended: Ended = self._ours.recv()
        return ended

    def close(self) -> None:
        """End the process."""
        self._ours.close()
        self._process.join(10)
        self._process.kill()


def smaller() -> RunConfig:
    """Return the preset "tiny" with fewer and smaller pictures: half a second for a training or a table."""
    data, training = replace(_TINY.data, pictures=3), replace(_TINY.training, crop_size=33)
    return replace(_TINY, data=data, training=training)


def _serve(connection: Connection, warm_up: Sequence[Sequence[str]]) -> None:
    torch.set_num_threads(1)
    # Loaders fork their workers, as they do in a program that is started by itself.
    multiprocessing.set_start_method("fork", force=True)
    presets.PRESETS["tiny"] = smaller
    if not LONG:
        # It takes seconds and writes nothing.
        exports._traced = lambda model: model
        exports.verify = lambda *arguments: 0.0
        exports.FORMATS["torch"] = replace(exports.FORMATS["torch"], make=_packed)
    with tempfile.TemporaryDirectory() as folder:
        # So that the counts of pictures are not kept among the user's.
        os.environ["XDG_CACHE_HOME"] = folder
        os.chdir(folder)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        for command in warm_up:
            if main(command) != 0:
                raise RuntimeError(f"{command} failed")
        while True:
            try:
                command, place, fault = connection.recv()
            except EOFError:
                return
            with tempfile.TemporaryDirectory() as output:
                connection.send(_in_fork(command, place, fault, Path(output)))


def _packed(model: nn.Module, about: dict[str, str]) -> bytes:
    """Stand for the making of a .pt2: a file of the same weights and text."""
    file = BytesIO()
    torch.save((model.state_dict(), about), file)
    return file.getvalue()


def _in_fork(command: Sequence[str], folder: Path, fault: Fault, output: Path) -> Ended:
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            _be_the_command(command, folder, fault, output)
        finally:
            os._exit(70)
    status = _wait(child, fault)
    out, err, points = ((output / name).read_text() for name in ("out", "err", "points"))
    return Ended(status, out, err, tuple(points.splitlines()), time.monotonic() - started)


def _wait(child: int, fault: Fault) -> int:
    """Wait for the end, and strike in the meantime. Returns the status."""
    started, struck = time.monotonic(), False
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        passed = time.monotonic() - started
        if fault.after is not None and passed >= fault.after and not struck:
            os.kill(child, signal.SIGKILL if fault.kind == "kill" else signal.SIGTERM)
            struck = True
        if passed > PATIENCE:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return HANGS
        time.sleep(0.002)


def _be_the_command(command: Sequence[str], folder: Path, fault: Fault, output: Path) -> None:
    opened = [
        os.open(output / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("out", "err", "points")
    ]
    os.dup2(opened[0], 1)
    os.dup2(opened[1], 2)
    os.chdir(folder)
    if fault.kind == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault.size, fault.size))
    if fault.kind == "no root" and os.geteuid() == 0:
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
    _Watch(fault, folder, opened[2]).begin()
    try:
        status = main(command)
    except BaseException:
        traceback.print_exc()
        status = 70
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class _Watch:
    """Counts the points of this process, and strikes at one."""

    def __init__(self, fault: Fault, folder: Path, report: int) -> None:
        self._fault, self._folder, self._report = fault, os.fspath(folder), report
        self._process, self._count, self._last, self._struck = os.getpid(), 0, "", False

    def begin(self) -> None:
        write, line, named = files._write, MetricsFile.write, MetricsFile._named_errors

        def write_half(file: Any, content: memoryview) -> None:
            if self._strikes(f"half {file.name}", file.name):
                if self._fault.kind != "term":  # which does not end a write
                    write(file, content[: len(content) // 2])
                    file.flush()
                self._strike(file.name, writes=True)
            write(file, content)

        def line_half(metrics: MetricsFile, record: dict[str, object]) -> None:
            if self._strikes(f"half {metrics._file.name}", metrics._file.name):
                if self._fault.kind != "term":
                    metrics._file.write(b'{"kind": ')
                with named(metrics):
                    self._strike(None, writes=True)
            line(metrics, record)

        files._write = write_half
        MetricsFile.write = line_half  # type: ignore[method-assign]
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
                self._note(event, path, writes=True)
        elif event in ("os.mkdir", "os.rename"):
            self._note(event, arguments[0], writes=True)
        elif event in ("os.remove", "os.rmdir"):
            self._note(event, arguments[0], folder=arguments[1])

    def _note(self, event: str, path: Any, *, writes: bool = False, folder: int = -1) -> None:
        if isinstance(path, int):
            return
        name = os.path.join(os.getcwd(), os.fsdecode(path))
        # A path that is relative to an open folder is one of those that rmtree removes.
        if (name.startswith(self._folder) or folder != -1) and self._strikes(f"{event} {name}", name):
            self._strike(name, writes=writes)

    def _strikes(self, point: str, name: Any) -> bool:
        # open() and the function that it opens with are heard one after the other.
        if os.getpid() != self._process or point == self._last:
            return False
        self._last = point
        self._count += 1
        fault = self._fault
        shown = point.replace(self._folder + os.sep, "")
        struck = self._count == fault.point or shown == fault.name
        if fault.kind in ("full", "denied"):
            struck = struck or self._struck
        elif self._struck:
            struck = False
        self._struck = self._struck or struck
        if struck or fault.kind == "none":
            os.write(self._report, f"{shown}\n".encode())
        return struck

    def _strike(self, name: str | None, *, writes: bool) -> None:
        kind = self._fault.kind
        if kind in ("kill", "term"):
            os.kill(os.getpid(), signal.SIGKILL if kind == "kill" else signal.SIGTERM)
        elif kind == "denied" or writes:
            number = errno.EACCES if kind == "denied" else errno.ENOSPC
            # A write that fails names no file.
            raise OSError(number, os.strerror(number), *([name] if name else []))
