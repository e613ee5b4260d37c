"""ResNet at any output stride, with multi-grid and the cascade of blocks 5 to 7 (sections 3.1 and 3.2).

Atrous convolution lets a network trade a stride for a rate: leave out a stride of 2, double the rate of every 3×3
convolution after it, and the same weights compute the same features at twice the resolution. `output_stride` says how
far the maps may shrink before strides turn into rates.

Block b (torchvision's `layer<b>`) has a nominal stride of 4 * 2^(b-1): block1 4, block2 8, block3 16, block4 32,
block5 64, block6 128, block7 256 (Fig. 3a). The part of it that exceeds the output stride becomes the block's base
rate. Multi-grid (section 3.2.1) multiplies that rate by one unit rate for each unit in block4 to block7. For pictures
of a quarter of the paper's side there is a backbone whose strides, and with them its output strides, are a quarter of
the paper's: on 129 pixels its output stride 4 gives the 33×33 map and the rates that 16 gives on 513.

The 3×3 convolution whose stride was left out takes a rate that depends on where the stride was:

- "stage" (the paper): a stride belongs to the last unit of the block before, so every unit of a block takes the
  block's rate.
- "previous" (torchvision): a stride belongs to the 3×3 convolution of the block's own first unit. That convolution
  reads the map from before the stride, so it keeps the rate of the block before.

With either rule, every second sample of the dense map is the strided map, exactly. One rule with the other rule's
strides loses that. Strides and rates are attributes, not parameters, and change in place.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from torch import Tensor, nn

from dlv3.atrous import AtrousConv2d

FirstUnitRule = Literal["stage", "previous"]
STEM_STRIDE = 4  # of conv1 and pool1 together; the paper's backbones keep it at every output stride
PAPER_OUTPUT_STRIDE = 16  # the output stride for which the paper states ASPP's rates (section 3.3)
CASCADE_START = 4  # multi-grid applies from block4 on


# The paper's strides and rates, in these three functions. A `BackboneSpec` has methods of the same names, which hold
# for backbones at a fraction of the scale too.


def max_output_stride(blocks: int) -> int:
    """Return the stride after `blocks` blocks without any atrous convolution: 32 for 4, 256 for 7 (Fig. 3a)."""
    stride: int = STEM_STRIDE * 2 ** (blocks - 1)
    return stride


def base_rate(block: int, output_stride: int) -> int:
    """Return the rate of a block at an output stride, before multi-grid (section 3.2, Fig. 3b).

    Args:
        block: 1 to 7.
        output_stride: a power of two, at least 4.

    Returns:
        The block's nominal stride divided by the output stride, at least 1: 2 for block4 at output stride 16.
    """
    return max(1, max_output_stride(block) // output_stride)


def map_stride(block: int, output_stride: int) -> int:
    """Return the input pixels between neighbouring samples of a block's maps at an output stride."""
    return min(max_output_stride(block), output_stride)


class Unit(nn.Module, ABC):
    """The common part of both kinds of residual unit: the shortcut, and the place of strides and rates."""

    expansion: int
    downsample: nn.Sequential | None

    @property
    def spatial_convs(self) -> list[AtrousConv2d]:
        """The unit's 3×3 convolutions, which have a rate."""
        return [conv for conv in self.main_path() if conv.kernel_size[0] > 1]

    @abstractmethod
    def main_path(self) -> list[AtrousConv2d]:
        """Return the unit's convolutions, in order, without the shortcut's."""

    def set_rates(self, first: int, rest: int) -> None:
        """Set the rates of the unit's 3×3 convolutions; a bottleneck has only the first."""
        for i, conv in enumerate(self.spatial_convs):
            conv.set_rate(first if i == 0 else rest)

    def set_strides(self, first: int, last: int) -> None:
        """Set the strides of the unit's first and last 3×3 convolution (the same one in a bottleneck)."""
        for conv in self.spatial_convs:
            conv.set_stride(1)
        self.spatial_convs[0].set_stride(first)
        self.spatial_convs[-1].set_stride(self.spatial_convs[-1].stride[0] * last)
        self.stride = first * last
        if self.downsample is not None:
            cast("AtrousConv2d", self.downsample[0]).set_stride(self.stride)

    def shortcut(self, x: Tensor) -> Tensor:
        """Project the input or take every stride-th sample: (N, C_in, H, W) to (N, C_out, H/stride, W/stride)."""
        if self.downsample is not None:
            projected: Tensor = self.downsample(x)
            return projected
        return x if self.stride == 1 else x[:, :, :: self.stride, :: self.stride]


def _projection(in_channels: int, out_channels: int) -> nn.Sequential | None:
    if in_channels == out_channels:
        return None
    return nn.Sequential(AtrousConv2d(in_channels, out_channels, 1), nn.BatchNorm2d(out_channels))


class BasicUnit(Unit):
    """Two 3×3 convolutions and a shortcut (He et al. 2016, Fig. 5 left)."""

    expansion = 1

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = AtrousConv2d(in_channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = AtrousConv2d(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(in_channels, width)
        self.stride = 1
        nn.init.zeros_(self.bn2.weight)

    def main_path(self) -> list[AtrousConv2d]:
        return [self.conv1, self.conv2]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out = self.relu(out + self.shortcut(x))
        return out


class BottleneckUnit(Unit):
    """1×1, 3×3, 1×1 and a shortcut (He et al. 2016, Fig. 5 right). Only the 3×3 has a rate (section 3.2.1)."""

    expansion = 4

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        out_channels = width * self.expansion
        self.conv1 = AtrousConv2d(in_channels, width, 1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = AtrousConv2d(width, width)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = AtrousConv2d(width, out_channels, 1)
        self.bn3 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _projection(in_channels, out_channels)
        self.stride = 1
        nn.init.zeros_(self.bn3.weight)

    def main_path(self) -> list[AtrousConv2d]:
        return [self.conv1, self.conv2, self.conv3]

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out = self.relu(out + self.shortcut(x))
        return out


class NarrowBottleneckUnit(BottleneckUnit):
    """A bottleneck whose output has twice its inner width, not four times. Not in the paper: for tiny networks."""

    expansion = 2


@dataclass(frozen=True)
class BackboneSpec:
    """The numbers that make a backbone. Blocks 5 to 7 copy block4's."""

    unit: type[Unit]
    units: tuple[int, int, int, int]  # units in block1 to block4
    widths: tuple[int, int, int, int]  # channels inside the units of block1 to block4
    stem_channels: int
    small_stem: bool = False  # two 3×3 convolutions of stride 2 instead of a 7×7 one and max-pooling
    shrink: int = 1
    """The paper's strides over this backbone's. Above 1 the stem is one convolution with all of the stem's stride,
    which is lowered to the output stride if that is smaller."""
    front_unit: type[Unit] | None = None  # the units of block1 and block2, if they differ from `unit`

    @property
    def paper_output_stride(self) -> int:
        """The output stride that stands for the paper's 16, for which ASPP's rates are stated (section 3.3)."""
        return PAPER_OUTPUT_STRIDE // self.shrink

    def max_output_stride(self, block: int) -> int:
        """Return a block's stride without atrous convolution: the paper's over `shrink`, at least the stem's."""
        return max(STEM_STRIDE, max_output_stride(block) // self.shrink)

    def output_strides(self, blocks: int) -> list[int]:
        """Return the output strides that a network of so many blocks can have, smallest first."""
        return [max_output_stride(block) // self.shrink for block in range(1, blocks + 1)]

    def map_stride(self, block: int, output_stride: int) -> int:
        """Return the input pixels between neighbouring samples of a block's convolutions (0: after the stem)."""
        nominal = self.max_output_stride(block) if block else STEM_STRIDE
        return min(nominal, output_stride)

    def base_rate(self, block: int, output_stride: int) -> int:
        """Return the rate of a block at an output stride, before multi-grid; see the function of this name."""
        return self.max_output_stride(block) // self.map_stride(block, output_stride)

    def unit_of(self, block: int) -> type[Unit]:
        """Return the kind of unit that a block, 1 to 7, is made of."""
        return self.front_unit if self.front_unit is not None and block <= 2 else self.unit

    def block_channels(self, block: int) -> int:
        """Return the channels of a block's output, block 1 to 7."""
        return self.widths[min(block, 4) - 1] * self.unit_of(block).expansion


BACKBONES = {
    "resnet50": BackboneSpec(BottleneckUnit, (3, 4, 6, 3), (64, 128, 256, 512), 64),
    "resnet101": BackboneSpec(BottleneckUnit, (3, 4, 23, 3), (64, 128, 256, 512), 64),
    # Not in the paper. For the made scenes: 14 layers with weights, trained in minutes on two cores.
    "resnet14": BackboneSpec(BasicUnit, (1, 1, 1, 3), (16, 32, 48, 64), 16, small_stem=True),
    # For made pictures of a quarter of the paper's side: 17 weighted layers. Not in the paper. The units of block3 to
    # block7 are bottlenecks as in its networks, so that a unit has one rate and sees as far as theirs do.
    "resnet17": BackboneSpec(
        NarrowBottleneckUnit, (1, 1, 1, 3), (16, 16, 16, 16), 16, shrink=4, front_unit=BasicUnit
    ),
}


class ResNet(nn.Module):
    """A residual network whose output stride and multi-grid can change while its weights stay.

    Modules are named as in torchvision (`conv1`, `bn1`, `layer1` to `layer4`), so that its ImageNet weights load as
    they are; `layer5` to `layer7` are the cascade. The paper does not say whether the cascade's copies project their
    shortcut; here they do not, because input and output have the same channels. Every unit's last batch
    normalization starts with a weight of 0, so that units begin as identities (not stated in the paper).

    Args:
        spec: one of `BACKBONES`.
        output_stride: one of `spec.output_strides(blocks)`; in the paper 4 to `max_output_stride(blocks)`.
        multi_grid: unit rates of the three units of block4 and of each cascaded block.
        blocks: depth of the cascade, 4 (no cascade) to 7.
        first_unit: the place of the strides and the rates that follow from it, see the module's docstring.
        cascade_rate: one base rate for block4 and the cascade instead of those that the output stride asks for. It
            breaks the identity above: for controls, which have a row's parameters and not its field of view.
        in_channels: of the images, 3 for colour.
    """

    def __init__(
        self,
        spec: BackboneSpec,
        *,
        output_stride: int = 16,
        multi_grid: tuple[int, ...] = (1, 1, 1),
        blocks: int = 4,
        first_unit: FirstUnitRule = "stage",
        cascade_rate: int | None = None,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.blocks = blocks
        self.first_unit = first_unit
        self.cascade_rate = cascade_rate
        self.multi_grid = multi_grid
        self.conv1 = AtrousConv2d(in_channels, spec.stem_channels, 3 if spec.small_stem else 7, stride=2)
        self.bn1 = nn.BatchNorm2d(spec.stem_channels)
        self.relu = nn.ReLU(inplace=True)
        self.pool = _pool(spec)
        channels = spec.stem_channels
        for block in range(1, blocks + 1):
            width = spec.widths[min(block, 4) - 1]
            units = []
            for _ in range(spec.units[min(block, 4) - 1]):
                units.append(spec.unit_of(block)(channels, width))
                channels = spec.block_channels(block)
            self.add_module(f"layer{block}", nn.Sequential(*units))
        self.out_channels = channels
        self.set_output_stride(output_stride)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def block(self, number: int) -> nn.Sequential:
        """Return one block, 1 to `blocks`."""
        return cast("nn.Sequential", self.get_submodule(f"layer{number}"))

    def units(self, number: int) -> list[Unit]:
        """Return the units of one block, in order."""
        return [cast("Unit", unit) for unit in self.block(number)]

    def set_output_stride(self, output_stride: int) -> None:
        """Turn strides into rates, or back, in place. The weights stay as they are."""
        self.output_stride = output_stride
        if self.spec.shrink > 1:
            self.conv1.set_stride(self.spec.map_stride(0, output_stride))
        for number in range(1, self.blocks + 1):
            # The stride on the way into this block and out of it, towards the next one.
            entry = self._step(number) if number > 1 else 1
            leave = self._step(number + 1) if number < self.blocks else 1
            self._set_block(number, entry, leave)

    def _step(self, number: int) -> int:
        """Return the stride between the block before and this one."""
        before, here = (self.spec.map_stride(n, self.output_stride) for n in (number - 1, number))
        return here // before

    def set_multi_grid(self, multi_grid: tuple[int, ...]) -> None:
        """Change the unit rates of block4 and of the cascade in place. The weights stay as they are."""
        self.multi_grid = multi_grid
        self.set_output_stride(self.output_stride)

    def _set_block(self, number: int, entry: int, leave: int) -> None:
        units = self.units(number)
        rate = self._base_rate(number)
        previous_rate = self._base_rate(number - 1) if number > 1 else rate
        grid = self.multi_grid if number >= CASCADE_START else (1,) * len(units)
        for i, unit in enumerate(units):
            if self.first_unit == "stage":
                unit.set_strides(1, leave if i == len(units) - 1 else 1)
                unit.set_rates(rate * grid[i], rate * grid[i])
            else:
                unit.set_strides(entry if i == 0 else 1, 1)
                unit.set_rates((previous_rate if i == 0 else rate) * grid[i], rate * grid[i])

    def _base_rate(self, number: int) -> int:
        if self.cascade_rate is not None and number >= CASCADE_START:
            return self.cascade_rate
        return self.spec.base_rate(number, self.output_stride)

    def main_path(self) -> Iterator[AtrousConv2d | nn.MaxPool2d]:
        """Yield the convolutions and the pooling on the longest path through the network, in order."""
        yield self.conv1
        yield from (m for m in self.pool.modules() if isinstance(m, AtrousConv2d | nn.MaxPool2d))
        for number in range(1, self.blocks + 1):
            for unit in self.units(number):
                yield from unit.main_path()

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        """Return the output of the stem and of every block by name: "stem", "block1", and so on.

        Args:
            images: (N, in_channels, H, W), normalised.

        Returns:
            Maps of (N, C, ceil(H/s), ceil(W/s)), where s is the stride reached there. All are kept in memory.
        """
        maps = {"stem": self.pool(self.relu(self.bn1(self.conv1(images))))}
        features = maps["stem"]
        for number in range(1, self.blocks + 1):
            features = maps[f"block{number}"] = self.block(number)(features)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Return the last block's feature map.

        Args:
            images: (N, in_channels, H, W), normalised; any H and W of at least 1.

        Returns:
            (N, out_channels, ceil(H / output_stride), ceil(W / output_stride)).
        """
        features: Tensor = self.pool(self.relu(self.bn1(self.conv1(images))))  # (N, C, H/4, W/4)
        for number in range(1, self.blocks + 1):
            features = self.block(number)(features)
        return features


def _pool(spec: BackboneSpec) -> nn.Module:
    """Return the stem's second stride of 2, or nothing if its one convolution has the whole stride."""
    if spec.shrink > 1:
        return nn.Identity()
    if not spec.small_stem:
        return nn.MaxPool2d(3, 2, padding=1)
    channels = spec.stem_channels
    return nn.Sequential(
        AtrousConv2d(channels, channels, stride=2), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
    )
