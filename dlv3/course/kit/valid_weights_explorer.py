"""The valid-weights explorer: a 3×3 filter's weights that still meet the map as the rate grows (Fig. 4)."""

import traitlets as t

from dlv3 import atrous
from dlv3.course.kit.explorer import Explorer


class ValidWeightsExplorer(Explorer):
    """A 3×3 filter on a map: its taps that meet the map, and the share of positions by valid weights.

    Args:
        size: 3 to 65, the side of the map.
        rate: 1 to 80, and at most 1.25 times the side; from the side on, only the centre weight is left.
        row, column: the position of the filter's centre, 0 to size - 1.

    Raises:
        traitlets.TraitError: a value is out of its range, or the centre would not lie on the map.
    """

    script = "valid_weights"

    size = t.Int(65, min=3, max=65).tag(sync=True, state=True)
    rate = t.Int(12, min=1, max=80).tag(sync=True, state=True)
    row = t.Int(0, min=0).tag(sync=True, state=True)
    column = t.Int(0, min=0).tag(sync=True, state=True)

    def __init__(self, size: int = 65, rate: int = 12, **position: int) -> None:
        # Off the middle, because near an edge a filter has taps on the map and taps off it.
        super().__init__(**{"size": size, "rate": rate, "row": size // 3, "column": size // 8} | position)

    @t.validate("size", "rate", "row", "column")
    def _possible(self, proposal: t.Bunch) -> int:
        values = {name: getattr(self, name) for name in ("size", "rate", "row", "column")}
        name, value = proposal["trait"].name, proposal["value"]
        values[name] = value
        size = values["size"]
        if max(values["row"], values["column"]) >= size:
            raise t.TraitError(
                f"{name}={value}: row {values['row']} and column {values['column']} must lie on the map, "
                f"0 to {size - 1}"
            )
        if values["rate"] > 5 * size // 4:
            raise t.TraitError(
                f"{name}={value}: on a map of {size} × {size} the rate is at most {5 * size // 4}"
            )
        return int(value)

    @property
    def shares(self) -> dict[int, float]:
        """Share of positions with 9, 6, 4, 2 and 1 valid weights."""
        return atrous.valid_weight_shares(self.size, self.rate)

    @property
    def padding_share(self) -> float:
        """Share of multiplications by a zero of the padding."""
        return 1 - sum(weights * share for weights, share in self.shares.items()) / 9

    @property
    def valid(self) -> int:
        """Number of the nine weights that meet the map at the filter's position."""
        return int(atrous.count_valid_weights(self.size, self.rate)[self.row, self.column])
