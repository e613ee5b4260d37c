"""The output-stride ladder: ResNet's blocks, whose strides turn into rates, and the costs."""

from dataclasses import dataclass

import traitlets as t

from dlv3.course.kit import costs
from dlv3.course.kit.explorer import Explorer
from dlv3.resnet import max_output_stride


@dataclass(frozen=True)
class Rung:
    """One block, or the stem, of the ladder, for one square picture.

    Args:
        name, stride, size, channels, rates: as in `dlv3.course.kit.costs.Stage`.
        weights: of all convolutions.
        multiply_adds: of all convolutions.
        values: in the outputs of all convolutions, which training keeps for the backward pass.
    """

    name: str
    stride: int
    size: int
    channels: int
    rates: tuple[int, ...]
    weights: int
    multiply_adds: int
    values: int


class OutputStrideLadder(Explorer):
    """The blocks of ResNet-50 or -101 as stairs: strides, rates, map sizes, multiply-adds and memory of each.

    Memory counts the outputs of all convolutions, as float32, for one picture.

    Args:
        output_stride: 4 to 256, a power of two; up to 32 with 4 blocks, and twice that with each further block.
        blocks: 4 to 7, the cascade's depth.
        multi_grid: unit rates of the three units of block4 and after.
        first_unit: "stage" or "previous", see `dlv3.resnet`.
        backbone: "resnet50" or "resnet101".
        size: 65 to 1025, the side of the square picture in pixels; a multiple of 32, and 1.

    Raises:
        traitlets.TraitError: a value is out of its range, or the blocks do not reach the output stride.
    """

    script = "output_stride"
    needs = ("costs.js",)

    output_stride = t.Enum((4, 8, 16, 32, 64, 128, 256), default_value=16).tag(sync=True, state=True)
    blocks = t.Int(4, min=4, max=7).tag(sync=True, state=True)
    multi_grid = t.List(t.Int(min=1), default_value=[1, 1, 1], minlen=3, maxlen=3).tag(sync=True, state=True)
    first_unit = t.Enum(("stage", "previous"), default_value="stage").tag(sync=True, state=True)
    backbone = t.Enum(("resnet50", "resnet101"), default_value="resnet50").tag(sync=True, state=True)
    size = t.Int(513, min=65, max=1025).tag(sync=True, state=True)

    @t.validate("output_stride", "blocks")
    def _reached(self, proposal: t.Bunch) -> int:
        values = {"output_stride": self.output_stride, "blocks": self.blocks}
        values[proposal["trait"].name] = proposal["value"]
        largest = max_output_stride(values["blocks"])
        if values["output_stride"] > largest:
            raise t.TraitError(
                f"output_stride={values['output_stride']}: {values['blocks']} blocks reach {largest}"
            )
        value: int = proposal["value"]
        return value

    @t.validate("multi_grid")
    def _offered(self, proposal: t.Bunch) -> list[int]:
        grids = ([1, 1, 1], [1, 2, 1], [1, 2, 3], [1, 2, 4], [2, 2, 2])
        if list(proposal["value"]) not in grids:
            raise t.TraitError(f"multi_grid={tuple(proposal['value'])}: expected one of Table 3's: {grids}")
        return list(proposal["value"])

    @property
    def rungs(self) -> list[Rung]:
        """The stem and the blocks, with their figures."""
        return [
            Rung(
                stage.name,
                stage.stride,
                stage.size,
                stage.channels,
                stage.rates,
                sum(each.weights for each in stage.convolutions),
                sum(each.multiply_adds for each in stage.convolutions),
                sum(each.outputs for each in stage.convolutions),
            )
            for stage in costs.stages(**self.state)
        ]
