"""Cross-entropy over labelled pixels with its gradient written out: on a CPU with far fewer passes over memory.

torch's log-softmax over the classes of an (N, C, H, W) map, and its gradient, go through memory many more times than
the arithmetic needs; with a small network at a picture's full size they were most of a training step. Here the
softmax is computed once, in place, and turned into the gradient in the same pass.
"""

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, once_differentiable
from torch.nn import functional as F


def summed_cross_entropy(
    logits: Tensor, labels: Tensor, ignore_index: int, class_weights: Tensor | None = None
) -> Tensor:
    """Sum the cross-entropy over the pixels that are not `ignore_index`.

    Args:
        logits: (N, C, H, W) floating point, before the softmax.
        labels: (N, H, W) int64 class indices.
        ignore_index: marks pixels without a label.
        class_weights: (C,), what a pixel of each class counts; None where each counts 1.

    Returns:
        A scalar; `torch.nn.functional.cross_entropy` with reduction="sum", to rounding.
    """
    # Elsewhere torch's own is fused.
    if logits.device.type != "cpu" or torch.compiler.is_compiling():
        return F.cross_entropy(logits, labels, class_weights, ignore_index=ignore_index, reduction="sum")
    loss: Tensor = _SummedCrossEntropy.apply(logits, labels, ignore_index, class_weights)
    return loss


class _SummedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: BackwardCFunction,
        logits: Tensor,
        labels: Tensor,
        ignore_index: int,
        class_weights: Tensor | None,
    ) -> Tensor:
        labelled = (labels != ignore_index).unsqueeze(1)  # (N, 1, H, W)
        target = torch.where(labelled, labels.unsqueeze(1), 0)
        # What each pixel counts: 1 or 0, or its class's weight.
        share = labelled if class_weights is None else labelled * class_weights[target]
        shifted = logits - logits.amax(1, keepdim=True)
        of_target = shifted.gather(1, target)
        exponentials = shifted.exp_()
        total = exponentials.sum(1, keepdim=True)
        loss = ((total.log() - of_target) * share).sum()
        if ctx.needs_input_grad[0]:
            # The softmax times the pixel's share.
            gradient = exponentials.mul_(share / total)
            gradient.scatter_add_(1, target, -share.to(gradient.dtype))
            ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None, None
