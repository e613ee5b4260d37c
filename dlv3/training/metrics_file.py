"""metrics.jsonl, the metrics of a run: one JSON object a line, appended while the training runs."""

import json
import os
from pathlib import Path

from dlv3.evaluation.report import plain


class MetricsFile:
    """Append metrics to a file, from a known length on.

    Args:
        path: the file.
        keep: bytes of it to keep; what lies behind was written after the checkpoint that is resumed from, and is
            written again.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._file = path.open("ab")
        self._file.truncate(min(keep, path.stat().st_size))

    def write(self, record: dict[str, object]) -> None:
        """Append one line. A value that is not a finite number (the IOU of a class that never occurs) becomes null."""
        self._file.write(json.dumps(plain(record)).encode() + b"\n")
        self._file.flush()

    def push(self) -> int:
        """Push all lines to the disk. Returns the file's length in bytes."""
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
