"""Evaluation as in section 4: mIOU over whole images, at any output stride, scales and flips; prediction."""

from dlv3.evaluation.config import EvaluationConfig
from dlv3.evaluation.evaluate import evaluate
from dlv3.evaluation.inference import (
    PAPER_SCALES,
    at_output_stride,
    predict_labels,
    predict_probabilities,
)
from dlv3.evaluation.metrics import ConfusionMatrix
from dlv3.evaluation.report import Evaluation

__all__ = [
    "ConfusionMatrix",
    "Evaluation",
    "EvaluationConfig",
    "PAPER_SCALES",
    "at_output_stride",
    "evaluate",
    "predict_labels",
    "predict_probabilities",
]
