"""A run's folder: its configuration, metrics as JSON lines, checkpoint, final weights and pictures of predictions."""

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

from dlv3.files import write_atomically


class RunFolder:
    """The files of one training.

    Args:
        path: the folder, which `create` makes.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoint = self.path / "checkpoint.pt"
        self.weights = self.path / "model.safetensors"
        self.predictions = self.path / "predictions"
        self.tensorboard = self.path / "tensorboard"

    @property
    def in_use(self) -> bool:
        """Whether there is a run in it."""
        return any(file.exists() for file in (self.config, self.checkpoint, self.weights))

    def create(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Make the folder ready for a run.

        Args:
            resume: keep what is there.
            overwrite: delete the run that is there, and nothing else.

        Raises:
            ValueError: there is a run, and neither was asked for, or both.
            OSError: the folder cannot be made.
        """
        if resume and overwrite:
            raise ValueError("--resume and --overwrite: give one of them, not both")
        if self.in_use and not (resume or overwrite):
            raise ValueError(
                f"{self.path}: holds a run already; continue it with --resume, replace it with --overwrite, or give "
                "another --out"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if overwrite:
                self._clear()
            self._try_writing()
        except OSError as error:
            raise OSError(
                f"{self.path}: cannot be written to: {error.strerror or error}; give another --out"
            ) from error

    def _try_writing(self) -> None:
        """Find out now, rather than at the first checkpoint, that nothing can be written here."""
        trial = self.path / ".writable"
        trial.write_bytes(b"1")
        trial.unlink()

    def _clear(self) -> None:
        for file in (self.checkpoint, self.weights, self.metrics, self.config):
            file.unlink(missing_ok=True)
        for folder in (self.predictions, self.tensorboard):
            shutil.rmtree(folder, ignore_errors=True)

    def write_config(self, text: str) -> None:
        """Write config.json.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(self.config, text.encode())


class MetricsFile:
    """metrics.jsonl: one JSON object a line, appended as the training goes.

    Args:
        path: the file.
        keep: bytes of it to keep; what lies behind was written after the checkpoint that is resumed from, and is
            written again.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        self._file = path.open("ab")
        self._file.truncate(min(keep, path.stat().st_size))

    def write(self, record: dict[str, Any]) -> None:
        """Append one line. What is no number (the IOU of a class that never occurs) becomes null."""
        self._file.write(json.dumps(_plain(record)).encode() + b"\n")
        self._file.flush()

    def push(self) -> int:
        """Push all lines to the disk. Returns the file's length in bytes."""
        os.fsync(self._file.fileno())
        return os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        self._file.close()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
