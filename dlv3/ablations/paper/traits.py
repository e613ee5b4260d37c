"""A row's network before any training: its number of parameters, and how far its units see."""

from dataclasses import dataclass
from functools import cache

import torch

from dlv3.ablations.paper.configure import configuration
from dlv3.ablations.paper.reach import reach
from dlv3.ablations.paper.tables import Setting
from dlv3.ablations.table import Row
from dlv3.deeplab import DeepLabV3, DeepLabV3Config


@dataclass(frozen=True)
class Traits:
    """Two numbers of a network."""

    parameters: int
    sees: int | None
    """Pixels from a unit's centre to each side of its field of view; None is the whole picture."""

    def as_text(self) -> tuple[str, str]:
        """Return both as a table shows them."""
        return f"{self.parameters:,}", "all" if self.sees is None else str(self.sees)


def traits_at(row: Row[Setting], preset_name: str) -> Traits:
    """Return the traits of a row of the paper's tables at a preset; its setting is a `Setting`."""
    return traits_of(configuration(row.setting, preset_name).model)


@cache
def traits_of(model: DeepLabV3Config) -> Traits:
    """Return the traits of a network."""
    with torch.device("meta"):  # no memory, no initial values
        parameters = sum(weights.numel() for weights in DeepLabV3(model).parameters())
    return Traits(parameters, reach(model))
