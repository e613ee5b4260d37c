"""Options of an evaluation: one frozen dataclass, each field with the paper's section where one applies."""

from dataclasses import dataclass
from typing import Literal, get_args

from dlv3.fields import is_whole, lists_to_tuples, require, require_choice, require_whole

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class EvaluationConfig:
    """How each image is evaluated. The defaults are one pass, as the model was trained (the first row of Table 4)."""

    output_stride: int | None = None
    """Another output stride than the model's own: the paper trains at 16 and evaluates at 8 (§4.1; Table 10)."""
    scales: tuple[float, ...] = (1.0,)
    """Scales of the image whose probabilities are averaged: 0.5 0.75 1 1.25 1.5 1.75 in the paper (§4.1; Table 6)."""
    flip: bool = False
    """Whether to evaluate the left-right mirror image too, and average (§4.1; Table 6)."""
    batch_size: int = 1
    """Images at a time; only images of equal size share a batch. The score does not depend on it."""
    precision: Precision = "float32"
    """What the network is computed in. bfloat16 is faster on GPUs and may move the score a little."""

    def __post_init__(self) -> None:
        lists_to_tuples(self, "scales")
        positive = bool(self.scales) and all(scale > 0 for scale in self.scales)
        require("evaluation.scales", self.scales, positive, "numbers above 0, one or more")
        require_whole("evaluation.batch_size", self.batch_size)
        require_choice("evaluation.precision", self.precision, get_args(Precision))
        # Which output strides are possible depends on the model, which checks it when its output stride is set.
        whole = self.output_stride is None or is_whole(self.output_stride)
        require(
            "evaluation.output_stride",
            self.output_stride,
            whole,
            "4, 8, 16, 32, ..., or None for the model's own",
        )
