"""One convolution's weights, packed for the sizes of input that it meets (`dlv3.fast.onednn`).

A matrix product is a sum, and its terms may lie in memory in any order that both sides agree on. The weights of four
outputs and two inputs, row by row and in blocks of two rows, column by column:

    1 2 | 3 4 | 5 6 | 7 8        1 3  2 4 | 5 7  6 8

With the inputs 10 and 1 the first block gives 10 (1, 3) + 1 (2, 4) = (12, 34): one load brings the weights that two
outputs need for the same input. oneDNN's blocks have eight rows or more.

oneDNN wants the weights in a layout that depends on the size of the input; the wrong one can be sixty times slower.
There are few layouts, so that sizes with the same layout share a copy:

    33×33 -> layout A, 65×65 -> layout A, 5×5 -> layout B: three sizes are known, two copies are kept.

Several threads may use one model. A lock is held from the look-up of a copy until it is in hand, packing included, so
that no other thread drops it in between or packs the same weights a second time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import torch
from torch import Tensor

from dlv3.fast import onednn
from dlv3.fast.onednn import Geometry

COPIES = 3
"""Layouts of a convolution's weights that are kept packed: each is a copy of the weights."""
KNOWN_SIZES = 256
"""Sizes of input whose layout is remembered."""


def values_of(weight: Tensor) -> Hashable:
    """Return a key that differs where two tensors' values may: address, shape and the count of changes in place.

    Changes by way of `weight.data` are not counted.
    """
    # Tensors made in torch.inference_mode have no count.
    changes = None if weight.is_inference() else weight._version
    return weight.data_ptr(), tuple(weight.shape), changes


class PackedWeights:
    """The packed copies of one convolution's weights. A deep copy or a pickle of it is empty and fills itself again."""

    def __init__(self) -> None:
        # The layout of each known size; None after the first input of a size.
        self._layouts: dict[Hashable, tuple[Hashable, Hashable] | None] = {}
        # By version and layout, the last used at the end.
        self._copies: OrderedDict[tuple[Hashable, Hashable], Tensor] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._copies)

    def __deepcopy__(self, memo: dict[int, object]) -> "PackedWeights":
        return PackedWeights()  # torch cannot copy packed weights

    def __reduce__(self) -> tuple[type["PackedWeights"], tuple[()]]:
        return PackedWeights, ()

    def from_second_time(
        self, weight: Tensor, size: torch.Size, geometry: Geometry, version: Hashable = None
    ) -> Tensor:
        """Return the weights as they are for the first input of a size, and packed as by `get` from the second on.

        Packing takes longer than one convolution saves.
        """
        key = (size, geometry, version)
        with self._lock:
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
        *,
        from_copy: bool = False,
    ) -> Tensor:
        """Return the weights packed for an input of this size.

        Args:
            weight: makes the weights to pack, (C_out, C_in / groups, k, k); called where no copy is at hand.
            size: (N, C_in, H, W) of the input.
            geometry: of the convolution.
            groups: of the convolution.
            version: has to differ where the weights differ, see `values_of`.
            from_copy: rearrange a copy for another size, if there is one, instead of making the weights. It is faster
                where the layout turns out to be the same one.
        """
        key = (size, geometry, version)
        with self._lock:
            layout = self._layouts.get(key)
            if layout is None or layout not in self._copies:
                copies = [copy for (of, _), copy in self._copies.items() if from_copy and of == version]
                packed = onednn.pack(copies[-1] if copies else weight(), size, geometry, groups)
                layout = (version, onednn.layout(packed) or key)
                self._remember(key, layout)
                self._copies.setdefault(layout, packed)
                if len(self._copies) > COPIES:
                    self._copies.popitem(last=False)
            self._copies.move_to_end(layout)
            return self._copies[layout]

    def _remember(self, key: Hashable, layout: tuple[Hashable, Hashable] | None) -> None:
        if len(self._layouts) >= KNOWN_SIZES:
            self._layouts.clear()
        self._layouts[key] = layout
