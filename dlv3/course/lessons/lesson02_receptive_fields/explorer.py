"""The receptive-field explorer: the pixels that one output of a stack of atrous convolutions sees or misses."""

import traitlets as t

from dlv3 import receptive_field
from dlv3.course.kit.explorer import Explorer


class ReceptiveFieldExplorer(Explorer):
    """A stack of convolutions, each with a rate to choose: its field as a pyramid, and the number of its holes.

    Args:
        rates: the rate of each layer, first layer first; 1 to 5 layers, rates of 1 to 8.
        kernel_size: 2 to 5 taps along an axis, in every layer.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "receptive_field"

    kernel_size = t.Int(3, min=2, max=5).tag(sync=True, state=True)
    rates = t.List(t.Int(min=1, max=8), default_value=[1, 1, 1], minlen=1, maxlen=5).tag(
        sync=True, state=True
    )

    def __init__(self, rates: tuple[int, ...] = (1, 1, 1), **values: int) -> None:
        super().__init__(rates=list(rates), **values)

    @property
    def layers(self) -> list[receptive_field.Layer]:
        """The stack as `dlv3.receptive_field` describes it."""
        return [receptive_field.Layer(self.kernel_size, rate=rate) for rate in self.rates]

    @property
    def size(self) -> int:
        """Side of the receptive field, in pixels."""
        return receptive_field.receptive_field(self.layers).size

    @property
    def paths(self) -> list[int]:
        """Number of paths from each pixel of the field, along one axis, to the output."""
        return [int(count) for count in receptive_field.count_paths(self.layers)]

    @property
    def holes(self) -> int:
        """Number of pixels of the field, along one axis, that no path reaches."""
        return receptive_field.count_holes(self.layers)
