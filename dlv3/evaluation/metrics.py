"""The paper's metric: pixel intersection over union, averaged over the classes (section 4).

One confusion matrix holds everything. For a class, the intersection is its diagonal entry, and the union its row
(pixels labelled so) plus its column (pixels predicted so) minus that entry, all summed over the whole data set
before the division: the mean over images of each image's IOU is another number, and a kinder one.
"""

from typing import Any

import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor

from dlv3.evaluation.counting import as_tensor, check_batch, count_pairs
from dlv3.fields import require

_NEVER = torch.iinfo(torch.int64).min  # the reach of values before any was seen


class ConfusionMatrix:
    """Count pixels by label and prediction, batch by batch, and give IOUs.

    A batch costs one pass of counting (`counting`). Every value a label can have has a row of its own, and only the
    rows of real classes are read; this also finds labels out of range at no cost, with their value. Counting stays
    on the tensors' device and never waits for it; reading a result does, and checks.

    Args:
        num_classes: classes, background included, at least 1.
        ignore_index: label of pixels that do not count. If it is one of the classes, that class has no IOU.

    Raises:
        ValueError: num_classes is below 1 (also from results: a label or prediction is not a class).
    """

    def __init__(self, num_classes: int, ignore_index: int = 255) -> None:
        require("num_classes", num_classes, num_classes >= 1, "at least 1")
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        # Rows for every byte, and for the classes and the ignored label beyond these.
        self._lowest = min(0, ignore_index)
        self._highest = max(255, num_classes - 1, ignore_index)
        # One more row and column at either end, for values out of range.
        self._counts = torch.zeros(self._highest - self._lowest + 3, num_classes + 2, dtype=torch.int64)
        # -lowest and highest label, -lowest and highest prediction: one maximum over ranks reduces them all.
        self._reach = torch.full((4,), _NEVER)

    def update(self, pred: Tensor | NDArray[Any], target: Tensor | NDArray[Any]) -> None:
        """Count one batch.

        Args:
            pred: (N, H, W) class indices of any integer type, or (N, num_classes, H, W) logits or probabilities; a
                tensor or a NumPy array.
            target: (N, H, W) labels of any integer type, on the same device.

        Raises:
            TypeError: labels or class indices are not integers, or logits are not floating-point.
            ValueError: shapes do not fit, or the two are on different devices. A value out of range, or logits that
                are not finite, are an error of the results.
        """
        pred, target = as_tensor("pred", pred), as_tensor("target", target)
        check_batch(pred, target, self.num_classes)
        self._to(target.device)
        self._extend_reach(0, target)
        if pred.ndim == 4:
            # (N, H, W); on a CPU several times faster than argmax, and equal.
            largest, pred = pred.max(dim=1)
            # Counted below all classes: from NaN or infinity no class follows. A maximum is NaN where a value is.
            pred.masked_fill_(largest.isfinite().logical_not_(), -1)
        else:
            self._extend_reach(2, pred)
        self._counts += count_pairs(pred, target, self.num_classes, self._lowest, self._highest)

    def _to(self, device: torch.device) -> None:
        self._counts, self._reach = self._counts.to(device), self._reach.to(device)

    def _extend_reach(self, first: int, values: Tensor) -> None:
        # A byte never lies beyond the rows and is its own name, so only wider types need a look at their reach.
        if values.dtype != torch.uint8 and values.numel():
            low, high = values.aminmax()
            reach = self._reach[first : first + 2]
            torch.maximum(reach, torch.stack((-low.long(), high.long())), out=reach)

    def all_reduce(self, group: "dist.ProcessGroup | None" = None) -> None:
        """Add up the counts of all ranks, so that each holds the whole; call it once, when all images are counted.

        Without an initialised process group there is one rank, and nothing to do.
        """
        if not (dist.is_available() and dist.is_initialized()):
            return
        # With nccl, a rank that had no image still has its counts on the CPU.
        if dist.get_backend(group) == "nccl":
            self._to(torch.device("cuda", torch.cuda.current_device()))
        dist.all_reduce(self._counts, dist.ReduceOp.SUM, group)
        dist.all_reduce(self._reach, dist.ReduceOp.MAX, group)

    def merge(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        """Add another matrix's counts to this one, in place; `a + b` makes a new one.

        Raises:
            ValueError: the two differ in num_classes or ignore_index.
        """
        ours, theirs = (self.num_classes, self.ignore_index), (other.num_classes, other.ignore_index)
        if ours != theirs:
            raise ValueError(
                f"(num_classes, ignore_index) is {ours} here and {theirs} there: they must agree"
            )
        self._counts += other._counts.to(self._counts.device)
        self._reach = torch.maximum(self._reach, other._reach.to(self._reach.device))
        return self

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        return ConfusionMatrix(self.num_classes, self.ignore_index).merge(self).merge(other)

    @property
    def matrix(self) -> Tensor:
        """(num_classes, num_classes) int64 on the CPU: pixels by label (row) and prediction (column).

        Raises:
            ValueError: a label, or the prediction at a labelled pixel, is not a class; says which value.
        """
        counts = self._counts.cpu()
        first = 1 - self._lowest  # the row of label 0
        self._require_known_labels(counts.sum(dim=1), first)
        classes = counts[first : first + self.num_classes]
        if 0 <= self.ignore_index < self.num_classes:
            classes = classes.clone()
            classes[self.ignore_index] = 0
        self._require_known_predictions(classes)
        return classes[:, 1:-1].clone()

    def _require_known_labels(self, pixels_by_row: Tensor, first: int) -> None:
        known = torch.zeros_like(pixels_by_row, dtype=torch.bool)
        known[first : first + self.num_classes] = True
        known[first + self.ignore_index] = True
        unknown = pixels_by_row.masked_fill(known, 0)
        if not unknown.any():
            return
        row = int(unknown.nonzero()[0])
        beyond = {0: -int(self._reach[0]), len(unknown) - 1: int(self._reach[1])}
        label = beyond.get(row, row - first)
        raise ValueError(
            f"label {label} at {int(unknown[row])} pixels: expected 0 to {self.num_classes - 1}, or "
            f"{self.ignore_index} for pixels to ignore; set num_classes, or map the label to {self.ignore_index}"
        )

    def _require_known_predictions(self, classes: Tensor) -> None:
        below, above = int(classes[:, 0].sum()), int(classes[:, -1].sum())
        if below or above:
            # Class indices below 0 have a reach; logits have none.
            if below and self._reach[2] <= 0:
                raise ValueError(
                    f"logits at {below} labelled pixels are NaN or infinite: no class follows from them; the model's "
                    "weights are damaged or its training diverged"
                )
            value = -int(self._reach[2]) if below else int(self._reach[3])
            raise ValueError(
                f"prediction {value} at {below + above} labelled pixels: expected 0 to {self.num_classes - 1}; "
                "the predictions are of a model with another num_classes"
            )

    def iou(self) -> Tensor:
        """Return the IOU of each class, from 0 to 1: (num_classes,) float64 on the CPU.

        A class that occurs neither in the labels nor in the predictions has no IOU: nan.
        """
        matrix = self.matrix.double()
        intersection = matrix.diagonal()
        union = matrix.sum(dim=0) + matrix.sum(dim=1) - intersection
        iou = intersection / union  # 0 / 0 is nan
        if 0 <= self.ignore_index < self.num_classes:
            iou[self.ignore_index] = torch.nan
        return iou

    def miou(self) -> float:
        """Return the mean of the classes' IOUs, from 0 to 1 (section 4); nan if nothing was counted.

        A class that is predicted but never labelled counts as 0; one that is neither is left out of the mean. On
        PASCAL VOC's val all 21 classes occur, so there this is the paper's plain mean over 21.
        """
        return float(self.iou().nanmean())

    def pixel_accuracy(self) -> float:
        """Return the share of labelled pixels that are predicted right, from 0 to 1; nan if nothing was counted."""
        matrix = self.matrix.double()
        return float(matrix.trace() / matrix.sum())
