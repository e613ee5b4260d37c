"""How a model is evaluated: one frozen dataclass, each field with the paper's section where one applies."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EvaluationConfig:
    """How to look at each image. The defaults are one look, as the model was trained (the first row of Table 4)."""

    output_stride: int | None = None
    """Another output stride than the model's own: the paper trains at 16 and evaluates at 8 (§4.1; Table 10)."""
    scales: tuple[float, ...] = (1.0,)
    """Scales of the image whose probabilities are averaged: 0.5 0.75 1 1.25 1.5 1.75 in the paper (§4.1; Table 6)."""
    flip: bool = False
    """Whether to look at left-right mirror images too (§4.1; Table 6)."""
    batch_size: int = 1
    """Images at a time; only images of equal size share a batch. The score does not depend on it."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """What the network is computed in. bfloat16 is faster on GPUs and may move the score a little."""

    def __post_init__(self) -> None:
        if isinstance(self.scales, list):  # JSON and command lines bring lists
            object.__setattr__(self, "scales", tuple(self.scales))
        self._check(
            "scales", bool(self.scales) and all(s > 0 for s in self.scales), "numbers above 0, one or more"
        )
        self._check("batch_size", _is_whole(self.batch_size), "a whole number of at least 1")
        self._check("precision", self.precision in ("float32", "bfloat16"), "'float32' or 'bfloat16'")
        # Which output strides a model can have is its own affair; it says so when it is set.
        whole = self.output_stride is None or _is_whole(self.output_stride)
        self._check("output_stride", whole, "4, 8, 16, 32, ..., or nothing for the model's own")

    def _check(self, name: str, holds: bool, allowed: str) -> None:
        if not holds:
            raise ValueError(f"evaluation.{name}={getattr(self, name)!r}: expected {allowed}")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
