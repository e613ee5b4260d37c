"""Options of an evaluation: one frozen dataclass, each field with the paper's section where one applies."""

from dataclasses import dataclass
from typing import Literal

from dlv3.ranges import OutputStride, Scales, Several, check_fields

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class EvaluationConfig:
    """How each image is evaluated. The defaults are one pass, as the model was trained (the first row of Table 4)."""

    output_stride: OutputStride | None = None
    """Another output stride than the model's own: the paper trains at 16 and evaluates at 8 (§4.1; Table 10)."""
    scales: Scales = (1.0,)
    """Scales of the image whose probabilities are averaged: 0.5 0.75 1 1.25 1.5 1.75 in the paper (§4.1; Table 6)."""
    flip: bool = False
    """Evaluate the left-right mirror image too, and average (§4.1; Table 6)."""
    batch_size: Several = 1
    """Images at a time; only images of equal size share a batch. The score does not depend on it."""
    precision: Precision = "float32"
    """Number type of the network's computations. bfloat16 is faster on GPUs and may move the score a little."""

    def __post_init__(self) -> None:
        check_fields(self, "evaluation.")
