"""metrics.jsonl, the metrics of a run: one JSON object a line, appended while the training runs."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlv3.evaluation.report import plain


class MetricsFile:
    """Append metrics to a file, from a known length on.

    Args:
        path: the file.
        keep: bytes of it to keep; what lies behind was written after the checkpoint that is resumed from, and is
            written again.

    Raises:
        OSError: the file cannot be written; says which and what to do.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._path = path
        with self._named_errors():
            # Without a buffer: a line that did not fit on a full disk would be written again when the file is closed.
            self._file = path.open("ab", buffering=0)
            self._file.truncate(min(keep, path.stat().st_size))

    def write(self, record: dict[str, object]) -> None:
        """Append one line. A value that is not a finite number (the IOU of a class that never occurs) becomes null."""
        line = memoryview(json.dumps(plain(record)).encode() + b"\n")
        with self._named_errors():
            while line:
                line = line[self._file.write(line) :]

    def push(self) -> int:
        """Push all lines to the disk. Returns the file's length in bytes."""
        with self._named_errors():
            os.fsync(self._file.fileno())
            return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OSError(
                f"{self._path}: cannot be written: {error.strerror or error}; make room and resume with --resume"
            ) from error
