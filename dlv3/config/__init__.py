"""Every option a user sets: one frozen dataclass for each part, the whole run, and the presets.

The names below are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlv3.config.data import DataConfig
    from dlv3.config.evaluation import EvaluationConfig
    from dlv3.config.presets import PRESETS, PresetName, preset
    from dlv3.config.pretraining import PretrainConfig
    from dlv3.config.run import RunConfig, differences
    from dlv3.config.training import TrainingConfig

_HOMES = {
    "DataConfig": "data",
    "EvaluationConfig": "evaluation",
    "PRESETS": "presets",
    "PresetName": "presets",
    "PretrainConfig": "pretraining",
    "RunConfig": "run",
    "TrainingConfig": "training",
    "differences": "run",
    "preset": "presets",
}
__all__ = [
    "PRESETS",
    "DataConfig",
    "EvaluationConfig",
    "PresetName",
    "PretrainConfig",
    "RunConfig",
    "TrainingConfig",
    "differences",
    "preset",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
