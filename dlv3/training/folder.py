"""A run's folder: its configuration, metrics as JSON lines, checkpoint, final weights and pictures of predictions."""

import os
import shutil
from pathlib import Path

from dlv3.files import require_writable, write_atomically


class RunFolder:
    """The files of one training.

    Args:
        path: the folder, which `create` makes.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoint = self.path / "checkpoint.pt"
        self.weights = self.path / "model.safetensors"
        self.predictions = self.path / "predictions"
        self.tensorboard = self.path / "tensorboard"

    @property
    def in_use(self) -> bool:
        """True where the folder holds a run."""
        return any(file.exists() for file in (self.config, self.checkpoint, self.weights))

    def create(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Make the folder ready for a run.

        Args:
            resume: keep the run that is there.
            overwrite: delete the run that is there, and nothing else.

        Raises:
            ValueError: there is a run and neither is given, or both are.
            OSError: the folder cannot be made, or nothing can be written into it.
        """
        if resume and overwrite:
            raise ValueError("--resume and --overwrite: give one of them, not both")
        if self.in_use and not (resume or overwrite):
            raise ValueError(
                f"{self.path}: holds a run already; resume it with --resume, replace it with --overwrite, or give "
                "another --out"
            )
        try:
            require_writable(self.path)
            if overwrite:
                self._clear()
        except OSError as error:
            raise OSError(
                f"{self.path}: cannot be written to: {error.strerror or error}; give another --out"
            ) from error

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
