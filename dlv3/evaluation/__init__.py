"""Evaluation as in section 4: mIOU over whole images, at any output stride, scales and flips; prediction."""

from importlib import import_module
from typing import TYPE_CHECKING

from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.evaluate import evaluate
from dlv3.evaluation.inference import PAPER_SCALES, predict_labels, predict_probabilities
from dlv3.evaluation.metrics import ConfusionMatrix
from dlv3.evaluation.modes import at_output_stride
from dlv3.evaluation.report import Evaluation

if TYPE_CHECKING:
    from dlv3.evaluation.predict import predict_files
    from dlv3.evaluation.trained import load_trained

# Imported when they are first used: reading and writing pictures needs torchvision, and training does not need them.
_HOMES = {"load_trained": "trained", "predict_files": "predict"}
__all__ = [
    "ConfusionMatrix",
    "Evaluation",
    "EvaluationConfig",
    "PAPER_SCALES",
    "at_output_stride",
    "evaluate",
    "load_trained",
    "predict_files",
    "predict_labels",
    "predict_probabilities",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
