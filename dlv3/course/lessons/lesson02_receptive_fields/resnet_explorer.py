"""A ResNet on one screen: blocks, units, and each convolution of the unit that is open."""

from dataclasses import dataclass
from functools import cache
from typing import cast

import torch
import traitlets as t

from dlv3.atrous import AtrousConv2d
from dlv3.course.kit.costs import side_at
from dlv3.course.kit.explorer import Explorer
from dlv3.resnet import BACKBONES, STEM_STRIDE, FirstUnitRule, ResNet

PICTURE = 513  # pixels along a side
BLOCKS = 4


@dataclass(frozen=True)
class OpenConvolution:
    """One convolution of the open unit, or the stem's convolution or pooling.

    Args:
        name: in torchvision, such as "layer1.0.conv2".
        kernel_size, channels_in, channels_out, stride, rate: its options.
        side: of its output map.
    """

    name: str
    kernel_size: int
    channels_in: int
    channels_out: int
    stride: int
    rate: int
    side: int


class ResNetExplorer(Explorer):
    """The blocks of ResNet-50 or -101, the units of one block, and the convolutions of one unit.

    Args:
        block: 0 for the stem, 1 to 4 for the block that is open.
        unit: the unit that is open, 1 to the number of the block's units; 1 for the stem.
        output_stride: 4, 8, 16 or 32.
        first_unit: "stage" or "previous", see `dlv3.resnet`.
        backbone: "resnet50" or "resnet101".

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "resnet_screen"
    needs = ("costs.js",)

    backbone = t.Enum(("resnet50", "resnet101"), default_value="resnet50").tag(sync=True, state=True)
    block = t.Int(1, min=0, max=BLOCKS).tag(sync=True, state=True)
    unit = t.Int(1, min=1, max=23).tag(sync=True, state=True)
    output_stride = t.Enum((4, 8, 16, 32), default_value=32).tag(sync=True, state=True)
    first_unit = t.Enum(("stage", "previous"), default_value="stage").tag(sync=True, state=True)

    @t.validate("backbone", "block", "unit")
    def _exists(self, proposal: t.Bunch) -> int | str:
        changed, value = proposal["trait"].name, proposal["value"]
        backbone = value if changed == "backbone" else self.backbone
        block = value if changed == "block" else self.block
        unit = value if changed == "unit" else self.unit
        units = self.units_in(backbone, block)
        if unit > units:
            raise t.TraitError(f"unit={unit}: block={block} opens units 1 to {units}")
        return cast("int | str", value)

    @staticmethod
    def units_in(backbone: str, block: int) -> int:
        """Return how many units of a block can be open; the stem, block 0, counts as one."""
        return BACKBONES[backbone].units[block - 1] if block else 1

    @property
    def convolutions(self) -> list[OpenConvolution]:
        """The convolutions that are open, in order, the shortcut's projection last; read from the library's network."""
        if self.block == 0:
            return [
                OpenConvolution("conv1", 7, 3, 64, 2, 1, side_at(PICTURE, 2)),
                OpenConvolution("maxpool", 3, 64, 64, 2, 1, side_at(PICTURE, STEM_STRIDE)),
            ]
        network = _network(self.backbone, self.output_stride, self.first_unit)
        return _of_unit(network, self.block, self.unit)


@cache
def _network(backbone: str, output_stride: int, first_unit: FirstUnitRule) -> ResNet:
    with torch.device("meta"):
        return ResNet(BACKBONES[backbone], output_stride=output_stride, first_unit=first_unit)


def _of_unit(network: ResNet, block: int, number: int) -> list[OpenConvolution]:
    before = reached = STEM_STRIDE
    # Down to the open unit, multiplying the strides of the units before it.
    for place in range(1, block + 1):
        for unit in network.units(place)[: number if place == block else None]:
            before, reached = reached, reached * unit.stride
    layers = {f"conv{i}": layer for i, layer in enumerate(unit.main_path(), 1)}
    if unit.downsample is not None:
        layers["downsample.0"] = cast("AtrousConv2d", unit.downsample[0])
    return [
        OpenConvolution(
            f"layer{block}.{number - 1}.{name}",
            layer.kernel_size[0],
            layer.in_channels,
            layer.out_channels,
            layer.stride[0],
            layer.rate,
            side_at(PICTURE, before if name == "conv1" else reached),
        )
        for name, layer in layers.items()
    ]
