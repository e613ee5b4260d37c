"""Training as in section 4.1: schedule, sampling, loss, updates, checkpoints, one process or many.

The names below are imported when they are first used, so that the configuration alone loads quickly.
"""

from importlib import import_module

from dlv3.config.training import TrainingConfig

_HOMES = {
    "CheckpointError": "checkpoint",
    "RunFolder": "folder",
    "TrainingDiverged": "loop",
    "TrainingResult": "run",
    "TrainingStopped": "stopping",
    "build_model": "start",
    "train": "run",
}
__all__ = ["TrainingConfig", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
