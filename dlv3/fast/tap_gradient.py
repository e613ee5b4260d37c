"""Atrous convolution whose filter's gradient is computed tap by tap: several times faster on a CPU at large rates.

Take the samples a, b, c, the taps u, v, w and a rate of 2. The outputs are v a + w c, v b, and u a + v c; with the
outputs' gradients x, y, z the filter's gradient is

    u: a z,  v: a x + b y + c z,  w: c x

So the gradient of one tap is a plain product of the outputs' gradients, where that tap meets the map, with the samples
that it meets there; over channels it is a matrix product. oneDNN, which torch calls, goes through the padding as well,
and slowly where the taps lie far apart; ASPP's filters (section 3.3) are the extreme case.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

MIN_RATE = 1 if torch.backends.cpu.get_cpu_capability() == "AVX2" else 4
"""The smallest rate that pays: with wider vectors than AVX2's, oneDNN's own gradient is as fast at small rates."""
MIN_CHANNELS = 256
"""With fewer channels oneDNN's own gradient is as fast."""


def is_faster(images: Tensor, weight: Tensor, rate: int) -> bool:
    """Tell whether training is faster with `atrous_conv2d`: on a CPU, in float32, with wide filters at large rates.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k').
        rate: atrous rate.
    """
    wide = weight.shape[1] >= MIN_CHANNELS and weight[0, 0].numel() > 1
    return rate >= MIN_RATE and wide and differentiates_on_cpu(images, weight)


def differentiates_on_cpu(images: Tensor, weight: Tensor) -> bool:
    """Tell whether torch would compute this filter's gradient with oneDNN: on a CPU, in float32, and needed at all."""
    return (
        torch.is_grad_enabled()
        and weight.requires_grad
        and images.device.type == "cpu"
        and images.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()
    )


def atrous_conv2d(images: Tensor, weight: Tensor, padding: tuple[int, int], rate: int) -> Tensor:
    """Compute `torch.nn.functional.conv2d(images, weight, None, 1, padding, rate)`, differentiable once.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k'), both sides odd.
        padding: rate * (k - 1) / 2 and rate * (k' - 1) / 2, which keep the map's size.
        rate: atrous rate.

    Returns:
        (N, C_out, H, W).
    """
    out: Tensor = _AtrousConvolution.apply(images, weight, padding, rate)
    return out


class _Context(FunctionCtx):
    saved_tensors: tuple[Tensor, Tensor]
    needs_input_grad: tuple[bool, ...]
    padding: tuple[int, int]
    rate: int


class _AtrousConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, images: Tensor, weight: Tensor, padding: tuple[int, int], rate: int) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.padding, ctx.rate = padding, rate
        return F.conv2d(images, weight, None, 1, padding, rate)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = conv2d_input(images.shape, weight, upstream, 1, ctx.padding, ctx.rate)
        if ctx.needs_input_grad[1]:
            of_weight = filter_gradient(images, upstream, weight.shape, ctx.rate)
        return of_images, of_weight, None, None


def filter_gradient(images: Tensor, upstream: Tensor, shape: torch.Size, rate: int) -> Tensor:
    """Compute the gradient of an atrous convolution's filter, tap by tap.

    Args:
        images: (N, C_in, H, W).
        upstream: (N, C_out, H, W), the gradient of the output.
        shape: (C_out, C_in, k, k') of the filter.
        rate: atrous rate.

    Returns:
        (C_out, C_in, k, k').
    """
    C_out, C_in, k, k2 = shape
    # Columns first: the part of a map that a sideways shift leaves is then one piece of memory.
    samples, gradients = images.permute(3, 2, 0, 1), upstream.permute(3, 2, 0, 1)  # (W, H, N, C)
    of_weight = images.new_empty(C_out, k, k2, C_in)
    for i in range(k):
        down = (i - k // 2) * rate
        met = gradients[:, _shifted(-down)].reshape(len(gradients), -1, C_out)  # (W, rows * N, C_out)
        seen = samples[:, _shifted(down)].reshape(len(samples), -1, C_in)  # (W, rows * N, C_in)
        for j in range(k2):
            right = (j - k2 // 2) * rate
            # (columns * rows * N, C_out) and (columns * rows * N, C_in)
            ours, theirs = met[_shifted(-right)].flatten(0, 1), seen[_shifted(right)].flatten(0, 1)
            torch.mm(ours.t(), theirs, out=of_weight[:, i, j])
    return of_weight.permute(0, 3, 1, 2)  # (C_out, C_in, k, k')


def _shifted(offset: int) -> slice:
    """Return the part of an axis whose partner, `offset` samples back, is on the map too."""
    return slice(offset, None) if offset >= 0 else slice(None, offset)
