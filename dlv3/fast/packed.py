"""Weights in oneDNN's own layout, and whether its fused convolutions apply here.

On a CPU torch's convolutions are oneDNN's. Asked for in the usual way they rearrange the weights at every call, and a
sum with a residual or a ReLU behind them is another pass through memory. torch's compiler calls them with weights
packed beforehand and with what follows fused; so does `dlv3.fast.folded`, without a compiler.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

COPIES = 3
"""Layouts of a convolution's weights that are kept packed: each is a copy of them."""
KNOWN_SIZES = 256
"""Sizes of input whose layout is remembered."""

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
    """One convolution's weights in the layouts that the inputs it met ask for.

    The layout that oneDNN wants depends on the input's size, and the wrong one can be sixty times slower. There are
    few: sizes of one layout share a copy.
    """

    def __init__(self) -> None:
        self._layouts: dict[tuple, Hashable] = {}  # for an input; None where it was met once
        self._copies: OrderedDict[Hashable, Tensor] = OrderedDict()  # by layout

    def __len__(self) -> int:
        return len(self._copies)

    def __deepcopy__(self, memo: dict) -> "PackedWeights":
        return PackedWeights()  # packed weights cannot be copied, and are made again

    def __reduce__(self) -> tuple:
        return PackedWeights, ()

    def from_second_time(
        self, weight: Tensor, size: torch.Size, geometry: Geometry, version: Hashable = None
    ) -> Tensor:
        """As `get`, but for the first input of a size the weights as they are: packing them pays from the second on."""
        key = (size, geometry, version)
        if key not in self._layouts:
            self._remember(key, None)
            return weight
        return self.get(lambda: weight, size, geometry, version=version)

    def get(
        self,
        weight: Callable[[], Tensor],
        size: torch.Size,
        geometry: Geometry,
        groups: int = 1,
        version: Hashable = None,
    ) -> Tensor:
        """The weights packed for an input of this size.

        Args:
            weight: makes the weights to be packed, (C_out, C_in / groups, k, k).
            size: (N, C_in, H, W) of the input.
            geometry: the convolution's.
            groups: the convolution's.
            version: differs where the weights do.
        """
        key = (size, geometry, version)
        layout = self._layouts.get(key)
        if layout not in self._copies:
            packed = torch._C._nn.mkldnn_reorder_conv2d_weight(
                weight().to_mkldnn(), *geometry, groups, list(size)
            )
            layout = (version, _layout(packed) or key)
            self._remember(key, layout)
            self._copies.setdefault(layout, packed)
            if len(self._copies) > COPIES:
                self._copies.popitem(last=False)
        self._copies.move_to_end(layout)
        return self._copies[layout]

    def _remember(self, key: tuple, layout: Hashable) -> None:
        if len(self._layouts) >= KNOWN_SIZES:
            self._layouts.clear()
        self._layouts[key] = layout


def _layout(packed: Tensor) -> bytes | None:
    """Equal for two packed tensors whose layout is; None where torch does not tell."""
    if not hasattr(torch.ops.mkldnn, "_get_mkldnn_serialized_md"):
        return None
    return torch.ops.mkldnn._get_mkldnn_serialized_md(packed).numpy().tobytes()
