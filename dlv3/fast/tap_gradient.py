"""Atrous convolution whose filter's gradient is taken tap by tap: on a CPU several times faster at large rates.

The gradient of one tap is a plain matrix product: of the output's gradient, where that tap meets the map, with the
samples that it meets there. oneDNN, which torch asks, goes through the padding as well, and slowly where the taps lie
far apart; ASPP's filters (section 3.3) are the extreme of that.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

MIN_RATE = 1 if torch.backends.cpu.get_cpu_capability() == "AVX2" else 4
MIN_CHANNELS = 256
"""Below these oneDNN's own gradient is as fast; with wider vectors than AVX2's it is at small rates."""


def is_faster(images: Tensor, weight: Tensor, rate: int) -> bool:
    """Whether `atrous_conv2d` makes the faster training step: on a CPU, in float32, with wide filters at large rates.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k').
        rate: atrous rate.
    """
    wide = weight.shape[1] >= MIN_CHANNELS and weight[0, 0].numel() > 1
    return rate >= MIN_RATE and wide and differentiates_on_cpu(images, weight)


def differentiates_on_cpu(images: Tensor, weight: Tensor) -> bool:
    """Whether torch would ask oneDNN for this filter's gradient: on a CPU, in float32, and wanted."""
    return (
        torch.is_grad_enabled()
        and weight.requires_grad
        and images.device.type == "cpu"
        and images.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def atrous_conv2d(images: Tensor, weight: Tensor, padding: tuple[int, int], rate: int) -> Tensor:
    """`torch.nn.functional.conv2d(images, weight, None, 1, padding, rate)`, differentiable once.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k'), both sides odd.
        padding: rate * (k - 1) / 2 and rate * (k' - 1) / 2, which keep the size.
        rate: atrous rate.

    Returns:
        (N, C_out, H, W).
    """
    return _AtrousConvolution.apply(images, weight, padding, rate)


class _AtrousConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx, images: Tensor, weight: Tensor, padding: tuple[int, int], rate: int
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.padding, ctx.rate = padding, rate
        return F.conv2d(images, weight, None, 1, padding, rate)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = torch.nn.grad.conv2d_input(images.shape, weight, upstream, 1, ctx.padding, ctx.rate)
        if ctx.needs_input_grad[1]:
            of_weight = filter_gradient(images, upstream, weight.shape, ctx.rate)
        return of_images, of_weight, None, None


def filter_gradient(images: Tensor, upstream: Tensor, shape: torch.Size, rate: int) -> Tensor:
    """The gradient of an atrous convolution's filter, tap by tap.

    Args:
        images: (N, C_in, H, W).
        upstream: (N, C_out, H, W), the gradient of its output.
        shape: the filter's, (C_out, C_in, k, k').
        rate: atrous rate.

    Returns:
        Of that shape.
    """
    C_out, C_in, k, k2 = shape
    # Columns first: what is left of a map that is shifted sideways is then one piece of memory.
    samples, gradients = images.permute(3, 2, 0, 1), upstream.permute(3, 2, 0, 1)  # (W, H, N, C)
    taps = images.new_empty(C_out, k, k2, C_in)
    for i in range(k):
        down = (i - k // 2) * rate
        met = gradients[:, _shifted(-down)].reshape(len(gradients), -1, C_out)
        seen = samples[:, _shifted(down)].reshape(len(samples), -1, C_in)
        for j in range(k2):
            right = (j - k2 // 2) * rate
            ours, theirs = met[_shifted(-right)].flatten(0, 1), seen[_shifted(right)].flatten(0, 1)
            torch.mm(ours.t(), theirs, out=taps[:, i, j])
    return taps.permute(0, 3, 1, 2)


def _shifted(offset: int) -> slice:
    """The part of an axis whose partner, `offset` samples back, is on the map too."""
    return slice(offset, None) if offset >= 0 else slice(None, offset)
