"""Checkpoints that are always whole: the old one or the new one, never half of either.

A checkpoint is written to a file beside its place, pushed to the disk and then moved: a kill, a crash or a full disk
at any moment leaves the last good one. It is read as tensors and plain values only, after a check of its checksums.
"""

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from dlv3 import weights
from dlv3.config.training import TrainingConfig
from dlv3.files import write_atomically

FORMAT = 1


@dataclass
class TrainingState:
    """The part of a checkpoint beside the weights and the optimizer."""

    iteration: int
    """Updates done."""
    validated: int
    """Iteration of the last validation."""
    metrics_bytes: int
    """Length of the metrics file."""
    losses: list[float]
    """Of the updates since the last line of metrics."""
    best_miou: float | None = None
    """Of the validations so far."""
    best_iteration: int = 0
    """Iteration of that validation."""
    without_gain: int = 0
    """Validations since then."""
    class_weights: list[float] = field(default_factory=list)
    """Those counted in the training pictures; empty where none were."""
    classes: list[str] = field(default_factory=list)
    """The names of the data's classes; empty in checkpoints of earlier versions."""
    colours: list[tuple[int, int, int]] = field(default_factory=list)
    """Red, green and blue of each."""

    def ended(self, training: TrainingConfig) -> bool:
        """Tell whether nothing is left to train: all iterations are done, or it stops early."""
        early = training.patience > 0 and self.without_gain >= training.patience
        return early or self.iteration >= training.iterations

    @classmethod
    def at_start(cls) -> "TrainingState":
        """Return the state before the first update."""
        return cls(iteration=0, validated=0, metrics_bytes=0, losses=[])


class CheckpointError(ValueError):
    """A checkpoint cannot be read or written: says which, why, and what to do."""


def save(state: dict[str, Any], path: Path) -> None:
    """Write a training's state.

    Args:
        state: tensors, numbers, strings, and dictionaries and lists of these.
        path: the checkpoint's place.

    Raises:
        CheckpointError: the file cannot be written, for example because the disk is full; the old one is intact.
    """
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    try:
        write_atomically(path, buffer.getbuffer())
    except OSError as error:
        kept = "the checkpoint before it is intact; " if path.exists() else ""
        raise CheckpointError(
            f"{path}: cannot be written: {error.strerror or error}; {kept}make room and resume with --resume"
        ) from error


def load(path: Path) -> dict[str, Any]:
    """Read a training's state onto the CPU. Nothing in the file is run.

    Raises:
        CheckpointError: the file is missing, truncated, damaged, not a checkpoint of a training, or holds code.
    """
    advice = "delete it and start again with --overwrite, or put a copy in its place"
    if not path.is_file():
        raise CheckpointError(
            f"{path}: no such file; a training writes its first checkpoint after checkpoint_interval iterations"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    # Damage can ask for a compression or an encryption that zipfile does not have, or hide a name that is not text.
    except Exception as error:
        raise CheckpointError(
            f"{path}: is truncated, or is not a checkpoint of a training ({error}); {advice}"
        ) from error
    if damaged:
        raise CheckpointError(f"{path}: is damaged (wrong checksum of {damaged}); {advice}")
    try:
        state = weights.load_pickle(path)
    except weights.WeightsError as error:
        raise CheckpointError(str(error)) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: is not a checkpoint of a training of this version (format {FORMAT}); {advice}"
        )
    return state
