"""Weights in oneDNN's own layout, and whether its fused convolutions apply here.

On a CPU torch's convolutions are oneDNN's. Asked for in the usual way they rearrange the weights at every call, and a
sum with a residual or a ReLU behind them is another pass through memory. torch's compiler calls them with weights
packed beforehand and with what follows fused; so does `dlv3.folded`, without a compiler.
"""

from collections import OrderedDict

import torch
from torch import Tensor

PACKED_SIZES = 2
"""Input sizes for which a convolution keeps its packed weights: each costs a copy of the weights."""

Geometry = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Padding, stride and atrous rate, along both axes."""


def fuses(images: Tensor) -> bool:
    """Whether oneDNN's fused convolutions apply: they are torch's own, but for its compiler's use."""
    return (
        images.device.type == "cpu"
        and images.dtype == torch.float32
        and not torch.compiler.is_compiling()
        and not torch.is_grad_enabled()
        and torch.backends.mkldnn.is_available()
        and torch.backends.mkldnn.enabled
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(torch._C._nn, "mkldnn_reorder_conv2d_weight")
    )


class PackedWeights:
    """One convolution's weights, packed for the sizes of input that it met last.

    The layout that oneDNN wants depends on the size, and the wrong one can be ten times slower.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __deepcopy__(self, memo: dict) -> "PackedWeights":
        return PackedWeights()  # packed weights cannot be copied, and are made again

    def __reduce__(self) -> tuple:
        return PackedWeights, ()

    def get(self, weight: Tensor, size: torch.Size, geometry: Geometry, groups: int = 1) -> Tensor:
        """The weights packed for an input of this size.

        Args:
            weight: (C_out, C_in / groups, k, k).
            size: (N, C_in, H, W) of the input.
            geometry: the convolution's.
            groups: the convolution's.
        """
        key = (size, weight.shape, weight.data_ptr(), geometry)
        if key not in self._kept:
            while len(self._kept) >= PACKED_SIZES:
                self._kept.popitem(last=False)
            self._kept[key] = torch._C._nn.mkldnn_reorder_conv2d_weight(
                weight.to_mkldnn(), *geometry, groups, list(size)
            )
        self._kept.move_to_end(key)
        return self._kept[key]
