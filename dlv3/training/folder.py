"""A run's folder: its configuration, metrics as JSON lines, checkpoint, final weights and pictures of predictions."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from dlv3.files import missing_folders, remove_empty, remove_half, require_writable, write_atomically


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
        self.best = self.path / "best.safetensors"
        self.predictions = self.path / "predictions"
        self.tensorboard = self.path / "tensorboard"

        self._replaced = self.path / ".replaced-run"
        self._made: list[Path] = []

    @property
    def in_use(self) -> bool:
        """True where the folder holds a run."""
        return any(file.exists() for file in (self.config, self.checkpoint, self.weights))

    @property
    def _parts(self) -> tuple[Path, ...]:
        """All that a run is, config.json last."""
        folders = (self.predictions, self.tensorboard)
        return *folders, self.metrics, self.checkpoint, self.best, self.weights, self.config

    def create(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Make the folder, and check that it may hold this run. A run that is there is not touched.

        Args:
            resume: the run that is there will be resumed.
            overwrite: it will be replaced, see `set_aside`.

        Raises:
            ValueError: there is a run and neither is given, or both are.
            OSError: the folder cannot be made, or nothing can be written into it.
        """
        self.require_free(resume=resume, overwrite=overwrite)
        self._made = missing_folders(self.path)
        try:
            require_writable(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(
                f"{self.path}: cannot be written to: {error.strerror or error}; give another --out"
            ) from error

    def require_free(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Check that the folder may hold this run, as `create` does, and make nothing.

        Raises:
            ValueError: there is a run and neither is given, or both are.
        """
        if resume and overwrite:
            raise ValueError("--resume and --overwrite: give one of them, not both")
        if not (resume or overwrite):
            self._require_empty()

    def _require_empty(self) -> None:
        if self.in_use:
            raise ValueError(
                f"{self.path}: holds a run already; resume it with --resume, replace it with --overwrite, or give "
                "another --out"
            )

    @contextmanager
    def locked(self, *, may_hold_a_run: bool) -> Iterator[None]:
        """Keep other trainings out of the folder inside the block.

        The system releases the lock of a process that is killed, so that a lock is never left behind.

        Args:
            may_hold_a_run: False where the folder has to be without a run, also once the lock is ours.

        Raises:
            ValueError: another training has the folder, or a run is there that may not be.
        """
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise ValueError(
                f"{self.path}: another training is writing into this folder; wait for its end, or give another --out"
            ) from error
        try:
            self._finish_moves()
            # Halves that a killed process has left; nobody else writes these files now.
            for part in self._parts:
                remove_half(part)
            if not may_hold_a_run:
                self._require_empty()
            yield
        finally:
            # Windows removes no file that is open.
            with suppress(OSError):
                Path(lock.lock_file).unlink()
            lock.release()
            # A training that failed before it wrote anything leaves no empty folder.
            remove_empty(self._made)

    def set_aside(self) -> None:
        """Move the run that is there, and nothing else, into a folder beside the new one's files.

        It is removed by `drop_replaced` once the new run is complete, and `put_back` undoes it.
        """
        if self._replaced.exists() and not self.weights.exists():
            # What is there never ended, and the run that it was to replace is still kept: keep that one.
            self._remove_parts()
            return
        self.drop_replaced()
        unfinished = self._unfinished
        unfinished.mkdir()
        for part in self._parts:
            if part.exists():
                os.replace(part, unfinished / part.name)
        os.replace(unfinished, self._replaced)

    def put_back(self) -> None:
        """Bring the replaced run back, in the place of what the new one has written so far."""
        if self._replaced.exists():
            self._remove_parts()
            self._move_back(self._replaced)

    def remove_beginnings(self) -> None:
        """Remove what a run writes before its first update, so that its command can be given again."""
        for part in (self.metrics, self.config):
            part.unlink(missing_ok=True)

    def drop_replaced(self) -> None:
        """Remove the run that was replaced."""
        shutil.rmtree(self._replaced, ignore_errors=True)

    @property
    def _unfinished(self) -> Path:
        """The replaced run while it is moved there."""
        return self._replaced.with_name(f"{self._replaced.name}.part")

    def _finish_moves(self) -> None:
        """Undo what a process that was killed while it replaced a run has begun."""
        if self._unfinished.exists():
            self._move_back(self._unfinished)
        elif self._replaced.exists() and not self.in_use:
            self._move_back(self._replaced)

    def _move_back(self, source: Path) -> None:
        for part in self._parts:
            if (source / part.name).exists():
                os.replace(source / part.name, part)
        source.rmdir()

    def _remove_parts(self) -> None:
        for part in self._parts:
            shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)

    def write_config(self, text: str) -> None:
        """Write config.json.

        Raises:
            OSError: it cannot be written.
        """
        write_atomically(self.config, text.encode())
