"""Count one batch's pixels by label and prediction: checks of the batch, and one pass over both maps.

Ignored pixels are not masked out first, which would copy both maps. Instead every value has a bin, one bin further at
either end takes what is out of range, and the reader of the counts picks the bins that matter.
"""

import numpy as np
import torch
from torch import Tensor

from dlv3.fields import require


def as_tensor(name: str, values: object) -> Tensor:
    """Return a tensor's or a NumPy array's values as a plain tensor, without a copy where torch can share them.

    Raises:
        TypeError: they are something else.
    """
    if isinstance(values, np.ndarray):
        if values.dtype.kind in "biuf":
            wide = values.dtype.kind == "u" and values.dtype.itemsize > 1  # torch computes little with these
            # In this machine's order of bytes.
            values = values.astype(np.int64 if wide else values.dtype.newbyteorder("="), copy=False)
            return torch.from_numpy(np.require(values, requirements=("C", "W")))
        raise TypeError(f"{name}.dtype={values.dtype}: expected numbers")
    if not isinstance(values, Tensor):
        raise TypeError(f"{name} is a {type(values).__name__}: expected a tensor or a NumPy array")
    return values.as_subclass(Tensor)


def check_batch(pred: Tensor, target: Tensor, num_classes: int) -> None:
    """Check the types, shapes and devices of a batch; no value is read, so this never waits for a GPU.

    Args:
        pred: (N, H, W) class indices of any integer type, or (N, num_classes, H, W) logits or probabilities.
        target: (N, H, W) labels of any integer type, on the same device.
        num_classes: classes, background included.

    Raises:
        TypeError: labels or class indices are not integers, or logits are not floating-point.
        ValueError: shapes do not fit, or the two are on different devices.
    """
    if pred.ndim == 4:
        if not pred.is_floating_point():
            raise TypeError(f"pred.dtype={pred.dtype}: expected floating-point logits in (N, C, H, W)")
        allowed = f"{num_classes} classes in dimension 1"
        require("pred.shape", tuple(pred.shape), pred.shape[1] == num_classes, allowed)
    else:
        _check_indices("pred", pred, "(N, H, W) or (N, num_classes, H, W)")
    _check_indices("target", target, "(N, H, W)")
    if pred.shape[:1] + pred.shape[-2:] != target.shape:
        raise ValueError(
            f"pred.shape={tuple(pred.shape)} and target.shape={tuple(target.shape)} do not fit: resize "
            "predictions to the labels, never labels to the predictions"
        )
    if pred.device != target.device:
        raise ValueError(f"pred is on {pred.device}, target on {target.device}: move one to the other")


def _check_indices(name: str, values: Tensor, shapes: str) -> None:
    shapes += f"; {name}[None] is a batch of one" if values.ndim == 2 else ""
    require(f"{name}.shape", tuple(values.shape), values.ndim == 3, shapes)
    if values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise TypeError(f"{name}.dtype={values.dtype}: expected whole numbers, such as torch.int64")


def count_pairs(pred: Tensor, target: Tensor, classes: int, lowest: int, highest: int) -> Tensor:
    """Count each pair of a label and a prediction.

    Args:
        pred: integers; 0 to classes − 1 have a column each.
        target: integers of the same shape; `lowest` to `highest` have a row each.
        classes: at least 1.
        lowest, highest: the range of labels.

    Returns:
        (highest − lowest + 3, classes + 2) integers on the tensors' device: the first and last row and column count
        what is below and above the range.
    """
    rows, columns = highest - lowest + 3, classes + 2
    # The narrowest type that holds every bin: on a CPU this pass is bound by memory. CUDA counts in the same type.
    narrow = rows * columns <= torch.iinfo(torch.int16).max and not target.is_cuda
    dtype = torch.int16 if narrow else torch.int32
    bins = _from_zero(target, lowest, highest, dtype).mul_(columns)
    bins += _from_zero(pred, 0, classes - 1, dtype)
    return _count(bins.flatten(), rows * columns).view(rows, columns)


def _from_zero(values: Tensor, low: int, high: int, dtype: torch.dtype) -> Tensor:
    """Map low..high to 1..high − low + 1 in a new tensor; all below to 0, all above to high − low + 2."""
    limits = torch.iinfo(values.dtype)
    if limits.min < low - 1 or limits.max > high + 1:
        values = values.clamp(max(low - 1, limits.min), min(high + 1, limits.max))
    return values.to(dtype, copy=True).add_(1 - low)


def _count(bins: Tensor, number: int) -> Tensor:
    """Count how often each of 0 to number − 1 occurs: (number,) integers, without waiting for the device."""
    # On CUDA bincount reads the largest value back to size its result; a histogram of known limits does not.
    # The histogram has no deterministic mode, though for integers its sums are exact in any order.
    if bins.is_cuda and not torch.are_deterministic_algorithms_enabled():
        return torch.histc(bins, bins=number, min=0, max=number)
    return torch.bincount(bins, minlength=number)
