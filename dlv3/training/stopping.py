"""Ctrl-C and SIGTERM: finish the update, save, and say how to go on."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingStopped(Exception):  # noqa: N818  a stop that was asked for is no error
    """A training was stopped by a signal and has saved its state.

    Attributes:
        signal: the signal's number; a program exits with 128 plus it.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal = signal_number


class Interrupted(Exception):  # noqa: N818
    """What `StopRequest.interruptible` raises into the work that may be cut short."""


class StopRequest:
    """While active, SIGINT and SIGTERM are noted instead of obeyed; a second Ctrl-C ends the program at once.

    Outside of the main thread, where Python allows no handlers, signals do what they always do.

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
        if os.getpid() != self._process:  # a worker, forked with this handler: its parent decides
            return
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = number
        if self._interruptible:
            raise Interrupted

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, a signal raises `Interrupted` where the program stands: for long work that is done over later."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False


def leave_signals_to_parent(worker: int) -> None:
    """For a loader's workers: Ctrl-C reaches them as well, but it is the training that decides when to stop."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
