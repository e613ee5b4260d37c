"""Evaluation as in section 4: mIOU over whole images, at any output stride, scales and flips; prediction."""

from dlv3.evaluation.metrics import ConfusionMatrix

__all__ = ["ConfusionMatrix"]
