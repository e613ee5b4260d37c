"""Ctrl-C and SIGTERM: finish the update, save, and say how to resume."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingStopped(Exception):  # noqa: N818  a stop on request is not an error
    """A training was stopped by a signal and has saved its state.

    Attributes:
        signal: the signal's number; a program exits with 128 plus it.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal = signal_number

    def __reduce__(self) -> tuple[type["TrainingStopped"], tuple[str, int]]:
        return TrainingStopped, (str(self), self.signal)  # what pickle needs to make an equal one


class Interrupted(Exception):  # noqa: N818
    """Raised inside `StopRequest.interruptible`, into work that may be cut short."""


class StopRequest:
    """Note SIGINT and SIGTERM instead of obeying them, while active; a second Ctrl-C ends the program at once.

    Outside the main thread, where Python allows no handlers, signals have their usual effect.

    Attributes:
        signal: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._interruptible = False
        self._process = os.getpid()

    def __enter__(self) -> "StopRequest":
        self._previous = {}
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A worker was forked with this handler: its parent decides.
        if os.getpid() != self._process:
            return
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        if self._interruptible:
            raise Interrupted

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let a signal raise `Interrupted` at once inside the block: for long work that can be repeated later."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False


def leave_signals_to_parent(worker: int) -> None:
    """Ignore signals in a loader's worker: Ctrl-C reaches it as well, but the training decides when to stop."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
