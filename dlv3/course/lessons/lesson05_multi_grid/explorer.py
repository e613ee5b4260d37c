"""The multi-grid explorer: the samples that a block of three atrous convolutions reads, and two kinds of holes."""

import traitlets as t

from dlv3 import receptive_field
from dlv3.course.kit.explorer import Explorer


class MultiGridExplorer(Explorer):
    """Three unit rates, a block's base rate (section 3.2.1), and the samples of the map that one output reads.

    Args:
        multi_grid: the unit rates of the block's three 3×3 convolutions, 1 to 9 each.
        base_rate: the block's rate before multi-grid: 1, 2 or 4.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "multi_grid"

    multi_grid = t.List(t.Int(min=1, max=9), default_value=[1, 2, 4], minlen=3, maxlen=3).tag(
        sync=True, state=True
    )
    base_rate = t.Enum((1, 2, 4), default_value=2).tag(sync=True, state=True)

    def __init__(self, multi_grid: tuple[int, ...] = (1, 2, 4), **values: int) -> None:
        super().__init__(multi_grid=list(multi_grid), **values)

    @property
    def rates(self) -> tuple[int, ...]:
        """Rates of the three convolutions: base rate times unit rate."""
        return tuple(self.base_rate * unit for unit in self.multi_grid)

    @property
    def layers(self) -> list[receptive_field.Layer]:
        """The block's 3×3 convolutions as `dlv3.receptive_field` describes them."""
        return [receptive_field.Layer(3, rate=rate) for rate in self.rates]

    @property
    def size(self) -> int:
        """Side of the field on the block's map, in samples."""
        return receptive_field.receptive_field(self.layers).size

    @property
    def read(self) -> int:
        """Samples along one axis of the field that some path reads; in an image, the square of it."""
        return self.size - receptive_field.count_holes(self.layers)

    @property
    def holes(self) -> int:
        """Samples along one axis of the block's own grid, every `base_rate`-th of the field, that no path reads."""
        return (self.size - 1) // self.base_rate + 1 - self.read

    @property
    def skipped(self) -> int:
        """Samples along one axis that lie between those of the block's grid: no unit rates reach them."""
        return (self.size - 1) // self.base_rate * (self.base_rate - 1)

    @property
    def density(self) -> float:
        """Share of the field's samples in an image that are read, from 0 to 1."""
        return self.read**2 / self.size**2
