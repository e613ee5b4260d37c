"""oneDNN's fused convolutions with weights packed in its own layout, through operators that torch keeps private.

Torch's convolutions on a CPU are oneDNN's. Called in the usual way they rearrange the weights at every call, and a sum
with a residual or a ReLU after them is another pass through memory. Torch's compiler calls oneDNN with weights packed
beforehand and with these steps fused, and `dlv3.fast` does so without a compiler.

Torch does not promise to keep these operators, so this is the only file that knows their names. `fuses` tries them
once; if a version of torch lacks them or calls them differently, it returns False and the callers use torch's public
convolution.
"""

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

Geometry = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Padding, stride and atrous rate, along both axes."""


def fuses(images: Tensor) -> bool:
    """Tell whether the fused convolutions apply: float32 on a CPU, no gradient wanted, and a torch that has them."""
    return (
        images.device.type == "cpu"
        and images.dtype == torch.float32
        and not torch.compiler.is_compiling()
        and not torch.is_grad_enabled()
        and torch.backends.mkldnn.is_available()
        and bool(torch.backends.mkldnn.enabled)
        and works()
    )


def convolve(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    geometry: Geometry,
    *,
    groups: int = 1,
    relu: bool = False,
) -> Tensor:
    """Convolve and, where asked for, rectify.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in / groups, k, k'), packed or plain.
        bias: (C_out,).
        geometry: padding, stride and atrous rate.
        groups: groups of channels.
        relu: whether a ReLU follows.

    Returns:
        (N, C_out, h, w).
    """
    after = "relu" if relu else "none"
    out: Tensor = torch.ops.mkldnn._convolution_pointwise(
        images, weight, bias, *geometry, groups, after, [], ""
    )
    return out


def convolve_onto(
    residual: Tensor, images: Tensor, weight: Tensor, bias: Tensor, geometry: Geometry, *, relu: bool = False
) -> Tensor:
    """Convolve, add the result to a residual and, where asked for, rectify.

    Args:
        residual: (N, C_out, h, w), channels last. It is overwritten with the result.
        images, weight, bias, geometry: as in `convolve`.
        relu: whether a ReLU follows the sum.

    Returns:
        `residual`.
    """
    after = "relu" if relu else None
    out: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
        residual, images, weight, bias, *geometry, 1, "add", 1.0, after, [], None
    )
    return out


def pack(weight: Tensor, size: torch.Size, geometry: Geometry, groups: int = 1) -> Tensor:
    """Rearrange weights (C_out, C_in / groups, k, k'), packed or plain, into oneDNN's layout for images of a size."""
    # torch's stub lacks the last argument.
    reorder: Callable[..., Tensor] = torch._C._nn.mkldnn_reorder_conv2d_weight
    return reorder(weight if weight.is_mkldnn else weight.to_mkldnn(), *geometry, groups, list(size))


def layout(packed: Tensor) -> bytes | None:
    """Return a key that is equal for packed tensors of equal layout; None if this torch cannot tell."""
    if not hasattr(torch.ops.mkldnn, "_get_mkldnn_serialized_md"):
        return None
    serialized: Tensor = torch.ops.mkldnn._get_mkldnn_serialized_md(packed)
    return serialized.numpy().tobytes()


@cache
def works() -> bool:
    """Try every operator once, on a small map. Return whether all give the answers of torch's public convolution."""
    geometry: Geometry = ((1, 1), (1, 1), (1, 1))
    images = torch.linspace(-1, 1, 2 * 5 * 5).view(1, 2, 5, 5).contiguous(memory_format=torch.channels_last)
    weight, bias = torch.linspace(-1, 1, 2 * 2 * 3 * 3).view(2, 2, 3, 3), torch.tensor([0.5, -0.5])
    plain = F.conv2d(images, weight, bias, padding=1)
    try:
        with torch.no_grad():
            packed = pack(weight, images.shape, geometry)
            layout(packed)
            rectified = convolve(images, packed, bias, geometry, relu=True)
            summed = convolve_onto(images.clone(), images, packed, bias, geometry)
    except (AttributeError, TypeError, RuntimeError):
        return False
    return torch.allclose(rectified, plain.relu(), atol=1e-5) and torch.allclose(
        summed, images + plain, atol=1e-5
    )
