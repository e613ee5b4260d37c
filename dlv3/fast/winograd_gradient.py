"""Wide 3×3 convolutions for training with fewer multiplications, forward and backward (`dlv3.fast.tiling`).

Every step is linear, so that each step backward is the adjoint of one forward: an output p + q of two products, with
the gradient x, gives x to p and x to q, and a product of G w with B d gives (G^T x B d) to the filter w. So the three
matrix products over the channels, for the outputs, for the images' gradient and for the filter's, save alike.

In numbers: the samples 1, 2 between zeros with the taps 3, 4, 5 have the outputs p + q = 14 and p + r = 11, of the
products p = v (a + b), q = (w - v) b and r = (u - v) a. If the outputs' gradients are 10 and 1, those of p, q and r are
11, 10 and 1, and the filter's is

    of u: 1 * 1 = 1,  of v: 11 * 3 - 10 * 2 - 1 * 1 = 12,  of w: 10 * 2 = 20

Directly: u meets a in the second output, 1 * 1; v meets both, 10 * 1 + 1 * 2; w meets b in the first, 10 * 2.

The tiles are small, so that in float32 the error is that of the direct sum. This runs on CPUs only; on GPUs cuDNN
chooses by itself.
"""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from dlv3.fast.tap_gradient import differentiates_on_cpu
from dlv3.fast.tiling import Tiling, direct_products

LARGEST_TILE = 3  # outputs along an axis; larger tiles have ten times the error
MAX_SHARE = 0.85
"""`is_faster` leaves gains of less than a sixth, by its estimate, to the direct sum."""
OF_SUMS, OF_FILTER = 200, 150
"""Cost of all sums, in multiplications: for each channel and product, and for each value of the filter at a point."""
TILES_AT_ONCE = 144
"""The approximate number of tiles that are computed together, of one image or of several."""
SUPPORTED = torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}
"""Whether it is used here: on other processors its matrix products were not measured and may be the slower ones."""


def is_faster(images: Tensor, weight: Tensor, rate: int) -> bool:
    """Tell whether training is faster with `atrous_conv2d`.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k').
        rate: atrous rate.
    """
    if not SUPPORTED or weight.shape[2:] != (3, 3) or not differentiates_on_cpu(images, weight):
        return False
    N, C_in, H, W = images.shape
    if rate >= min(H, W):
        return False
    pairs = weight.shape[0] * C_in
    tiling = Tiling.of((H, W), rate, LARGEST_TILE)
    products = N * tiling.products((H, W), rate)
    ours = products * (3 * pairs + OF_SUMS * (C_in + weight.shape[0])) + OF_FILTER * tiling.points * pairs
    theirs = 3 * N * direct_products((H, W), rate) * pairs
    return ours <= MAX_SHARE * theirs


def atrous_conv2d(images: Tensor, weight: Tensor, rate: int) -> Tensor:
    """Compute `torch.nn.functional.conv2d(images, weight, None, 1, rate, rate)`, differentiable once.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, 3, 3).
        rate: atrous rate.

    Returns:
        (N, C_out, H, W), channels last.
    """
    out: Tensor = _WinogradConvolution.apply(images, weight, rate)
    return out


class _Context(FunctionCtx):
    saved_tensors: tuple[Tensor, Tensor]
    needs_input_grad: tuple[bool, ...]
    rate: int
    tiling: Tiling


class _WinogradConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: _Context, images: Tensor, weight: Tensor, rate: int) -> Tensor:
        N, _, H, W = images.shape
        tiling = Tiling.of((H, W), rate, LARGEST_TILE)
        at_points = tiling.at_points(weight)  # (points, C_out, C_in)
        ctx.save_for_backward(images, at_points)
        ctx.rate, ctx.tiling = rate, tiling
        out = tiling.empty_outputs(images, N, (H, W), rate, len(weight))
        for part in _parts(images, tiling, rate):
            # (points, tiles, C_out)
            products = torch.bmm(_values(images[part], tiling, rate), at_points.transpose(1, 2))
            tiling.sum_products(products.transpose(0, 1), out[part])
        # (N, rows, m, rate, columns, m', rate, C_out) to (N, rows * m * rate, columns * m' * rate, C_out)
        whole = out.flatten(4, 6).flatten(1, 3)[:, :H, :W]
        return whole.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    @staticmethod
    @once_differentiable
    def backward(ctx: _Context, upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, at_points = ctx.saved_tensors
        tiling, rate = ctx.tiling, ctx.rate
        of_images = torch.empty_like(images) if ctx.needs_input_grad[0] else None
        of_points = None
        for part in _parts(images, tiling, rate):
            products = tiling.to_products(upstream[part], rate).transpose(0, 1)  # (points, tiles, C_out)
            if ctx.needs_input_grad[1]:
                # (points, C_out, tiles) times (points, tiles, C_in)
                factors = products.transpose(1, 2), _values(images[part], tiling, rate)
                of_points = torch.bmm(*factors) if of_points is None else of_points.baddbmm_(*factors)
            if of_images is not None:
                of_values = torch.bmm(products, at_points).transpose(0, 1)  # (tiles, points, C_in)
                of_images[part] = tiling.to_images(of_values, images[part].shape, rate)
        if of_points is None:
            return of_images, None, None
        of_weight = tiling.to_taps(of_points).contiguous(memory_format=torch.channels_last)
        return of_images, of_weight, None


def _parts(images: Tensor, tiling: Tiling, rate: int) -> list[slice]:
    """Return the slices of images that are computed together."""
    rows, columns = tiling.tiles((images.shape[2], images.shape[3]), rate)
    some = max(1, TILES_AT_ONCE // (rows * columns * rate**2))
    return [slice(n, n + some) for n in range(0, len(images), some)]


def _values(images: Tensor, tiling: Tiling, rate: int) -> Tensor:
    """Compute the images' part of the products: (points, tiles, C_in)."""
    n, C, H, W = images.shape
    block = tiling.empty_outputs(images, n, (H, W), rate, 0)  # only its shape is used
    rows, columns = tiling.tiles((H, W), rate)
    values = images.new_empty(n * rows * columns * rate**2, tiling.points, C)
    tiling.sum_samples(tiling.samples(images, block), values)
    return values.transpose(0, 1)
