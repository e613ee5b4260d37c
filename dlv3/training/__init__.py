"""Training as in section 4.1: schedule, sampling, loss, updates, checkpoints, one process or many.

The names below are imported when they are first used, so that a single file, such as `schedule`, loads quickly.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dlv3.config.training import TrainingConfig

if TYPE_CHECKING:
    from dlv3.training.checkpoint import CheckpointError
    from dlv3.training.folder import RunFolder
    from dlv3.training.loop import TrainingDiverged
    from dlv3.training.run import TrainingResult, train
    from dlv3.training.start import build_model
    from dlv3.training.stopping import TrainingStopped

_HOMES = {
    "CheckpointError": "checkpoint",
    "RunFolder": "folder",
    "TrainingDiverged": "loop",
    "TrainingResult": "run",
    "TrainingStopped": "stopping",
    "build_model": "start",
    "train": "run",
}
__all__ = [
    "CheckpointError",
    "RunFolder",
    "TrainingConfig",
    "TrainingDiverged",
    "TrainingResult",
    "TrainingStopped",
    "build_model",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
