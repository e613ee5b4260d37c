"""Cross-entropy over labelled pixels with its gradient written out: on a CPU with far fewer passes over memory.

torch's log-softmax over the classes of an (N, C, H, W) map, and its gradient, go through memory many more times than
the arithmetic needs; with a small network at a picture's full size they were most of a training step. Here the
softmax is computed once, in place, and turned into the gradient in the same pass.
"""

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, once_differentiable
from torch.nn import functional as F


def summed_cross_entropy(logits: Tensor, labels: Tensor, ignore_index: int) -> Tensor:
    """Sum the cross-entropy over the pixels that are not `ignore_index`.

    Args:
        logits: (N, C, H, W) floating point, before the softmax.
        labels: (N, H, W) int64 class indices.
        ignore_index: marks pixels without a label.

    Returns:
        A scalar; `torch.nn.functional.cross_entropy` with reduction="sum", to rounding.
    """
    # Elsewhere torch's own is fused.
    if logits.device.type != "cpu" or torch.compiler.is_compiling():
        return F.cross_entropy(logits, labels, ignore_index=ignore_index, reduction="sum")
    loss: Tensor = _SummedCrossEntropy.apply(logits, labels, ignore_index)
    return loss


class _SummedCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: BackwardCFunction, logits: Tensor, labels: Tensor, ignore_index: int) -> Tensor:
        labelled = (labels != ignore_index).unsqueeze(1)  # (N, 1, H, W)
        target = torch.where(labelled, labels.unsqueeze(1), 0)
        shifted = logits - logits.amax(1, keepdim=True)
        of_target = shifted.gather(1, target)
        exponentials = shifted.exp_()
        total = exponentials.sum(1, keepdim=True)
        loss = ((total.log() - of_target) * labelled).sum()
        if ctx.needs_input_grad[0]:
            # The softmax where there is a label, else 0.
            gradient = exponentials.mul_(labelled / total)
            gradient.scatter_add_(1, target, -labelled.to(gradient.dtype))
            ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream, None, None
