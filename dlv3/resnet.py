"""ResNet at any output stride, with multi-grid and the cascade of blocks 5 to 7 (sections 3.1 and 3.2).

Atrous convolution lets a network trade a stride for a rate: leave a stride of 2 out, double the rate of every
3×3 convolution behind it, and the same weights compute the same features at twice the resolution. `output_stride`
says how far the maps may shrink before strides turn into rates.

Block b (torchvision's `layer<b>`) stands at a nominal stride of 4 * 2^(b-1): block1 4, block2 8, block3 16,
block4 32, block5 64, block6 128, block7 256 (Fig. 3a). Whatever the output stride does not allow as stride becomes
the block's base rate. Multi-grid (section 3.2.1) multiplies it by one unit rate per unit in block4 to block7.
For pictures of a quarter of the paper's side there is a backbone whose strides, and with them the output strides, are
a quarter of the paper's: on 129 pixels its output stride 4 gives the 33×33 map and the rates that 16 gives on 513.

Which rate the 3×3 convolution takes whose stride was left out depends on where the stride stood:

- "stage" (the paper): a stride stands in the last unit of the block before, so every unit of a block takes the
  block's rate.
- "previous" (torchvision): a stride stands in the 3×3 convolution of the block's own first unit. That convolution
  reads the map from before the stride, so it keeps the rate of the block before.

Either way the dense map's every second sample is the strided map, exactly; a rule mixed with the other rule's
stride loses that. Strides and rates are attributes, not parameters, and change in place.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from dlv3.atrous import AtrousConv2d

FirstUnitRule = Literal["stage", "previous"]
STEM_STRIDE = 4  # conv1 and pool1 keep their strides at every output stride
PAPER_OUTPUT_STRIDE = 16  # that ASPP's rates are stated for (section 3.3)
CASCADE_START = 4  # multi-grid applies from block4 on


def max_output_stride(blocks: int) -> int:
    """The stride of the last of `blocks` blocks with no atrous convolution at all: 32 for 4, 256 for 7 (Fig. 3a)."""
    return STEM_STRIDE * 2 ** (blocks - 1)


def base_rate(block: int, output_stride: int) -> int:
    """The rate of a block at an output stride, before multi-grid (section 3.2, Fig. 3b).

    Args:
        block: 1 to 7.
        output_stride: a power of two, at least 4.

    Returns:
        The block's nominal stride over the output stride, and at least 1: 2 for block4 at output stride 16.
    """
    return max(1, max_output_stride(block) // output_stride)


def map_stride(block: int, output_stride: int) -> int:
    """Input pixels between neighbouring samples of a block's convolutions at an output stride."""
    return min(max_output_stride(block), output_stride)


class Unit(nn.Module, ABC):
    """What both kinds of residual unit share: the shortcut, and where strides and rates go."""

    expansion: int
    downsample: nn.Sequential | None

    @property
    def spatial_convs(self) -> list[AtrousConv2d]:
        """The unit's 3×3 convolutions: the ones that have a rate."""
        return [conv for conv in self.main_path() if conv.kernel_size[0] > 1]

    @abstractmethod
    def main_path(self) -> list[AtrousConv2d]:
        """The unit's convolutions beside the shortcut, in order."""

    def set_rates(self, first: int, rest: int) -> None:
        """Rates of the unit's 3×3 convolutions; a bottleneck has only the first."""
        for i, conv in enumerate(self.spatial_convs):
            conv.set_rate(first if i == 0 else rest)

    def set_strides(self, first: int, last: int) -> None:
        """Strides of the unit's first and last 3×3 convolution (of a bottleneck the same one)."""
        for conv in self.spatial_convs:
            conv.set_stride(1)
        self.spatial_convs[0].set_stride(first)
        self.spatial_convs[-1].set_stride(self.spatial_convs[-1].stride[0] * last)
        self.stride = first * last
        if self.downsample is not None:
            self.downsample[0].set_stride(self.stride)

    def shortcut(self, x: Tensor) -> Tensor:
        if self.downsample is not None:
            return self.downsample(x)
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
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + self.shortcut(x))


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
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return self.relu(out + self.shortcut(x))


class NarrowBottleneckUnit(BottleneckUnit):
    """A bottleneck that puts out twice its inner width instead of four times. Not in the paper: for tiny networks."""

    expansion = 2


@dataclass(frozen=True)
class BackboneSpec:
    """What sets one backbone apart from another. Blocks 5 to 7 copy block4's figures."""

    unit: type[Unit]
    units: tuple[int, int, int, int]  # units in block1 to block4
    widths: tuple[int, int, int, int]  # channels inside the units of block1 to block4
    stem_channels: int
    small_stem: bool = False  # two 3×3 stride-2 convolutions instead of a 7×7 and max-pooling
    shrink: int = 1
    """The paper's strides over this backbone's. Above 1 the stem is one convolution with all of the stem's stride,
    which gives it up where the output stride is smaller."""
    front_unit: type[Unit] | None = None  # of block1 and block2, where it is another one

    @property
    def paper_output_stride(self) -> int:
        """The output stride that stands for the paper's 16, which ASPP's rates are stated for (section 3.3)."""
        return PAPER_OUTPUT_STRIDE // self.shrink

    def max_output_stride(self, block: int) -> int:
        """A block's stride with no atrous convolution at all: the paper's over `shrink`, but not below the stem's."""
        return max(STEM_STRIDE, max_output_stride(block) // self.shrink)

    def output_strides(self, blocks: int) -> list[int]:
        """The output strides that a network of so many blocks can have, smallest first."""
        return [max_output_stride(block) // self.shrink for block in range(1, blocks + 1)]

    def map_stride(self, block: int, output_stride: int) -> int:
        """Input pixels between neighbouring samples of a block's convolutions (0: behind the stem)."""
        nominal = self.max_output_stride(block) if block else STEM_STRIDE
        return min(nominal, output_stride)

    def base_rate(self, block: int, output_stride: int) -> int:
        """The rate of a block at an output stride, before multi-grid; see the function of this name."""
        return self.max_output_stride(block) // self.map_stride(block, output_stride)

    def unit_of(self, block: int) -> type[Unit]:
        """The kind of unit that a block (1 to 7) is made of."""
        return self.front_unit if self.front_unit is not None and block <= 2 else self.unit

    def block_channels(self, block: int) -> int:
        """Channels that a block (1 to 7) puts out."""
        return self.widths[min(block, 4) - 1] * self.unit_of(block).expansion


BACKBONES = {
    "resnet50": BackboneSpec(BottleneckUnit, (3, 4, 6, 3), (64, 128, 256, 512), 64),
    "resnet101": BackboneSpec(BottleneckUnit, (3, 4, 23, 3), (64, 128, 256, 512), 64),
    # For the made scenes: 14 weighted layers, minutes of training on two cores. Not in the paper.
    "resnet14": BackboneSpec(BasicUnit, (1, 1, 1, 3), (16, 32, 48, 64), 16, small_stem=True),
    # For made pictures of a quarter of the paper's side: 17 weighted layers. Not in the paper. The units of block3 to
    # block7 are bottlenecks as in its networks, so that a unit has one rate and sees as far as theirs do.
    "resnet17": BackboneSpec(
        NarrowBottleneckUnit, (1, 1, 1, 3), (16, 16, 16, 16), 16, shrink=4, front_unit=BasicUnit
    ),
}


class ResNet(nn.Module):
    """A residual network whose output stride and multi-grid can change while its weights stay.

    Modules are named as in torchvision (`conv1`, `bn1`, `layer1` to `layer4`), so its ImageNet weights load as they
    are; `layer5` to `layer7` are the cascade. The paper does not say whether the cascade's copies project their
    shortcut: here they do not, for input and output have the same channels. Every unit's last batch normalization
    starts with a weight of 0, so that units begin as identities (not stated in the paper).

    Args:
        spec: one of `BACKBONES`.
        output_stride: one of `spec.output_strides(blocks)`: in the paper 4 to `max_output_stride(blocks)`.
        multi_grid: unit rates for the three units of block4 and of each cascaded block.
        blocks: depth of the cascade, 4 (no cascade) to 7.
        first_unit: where strides stand and which rate follows, see the module's text.
        cascade_rate: one base rate for block4 and the cascade in place of those that the output stride asks for. It
            breaks the identity above: for controls, which have a row's parameters and not its field of view.
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
    ) -> None:
        super().__init__()
        self.spec = spec
        self.blocks = blocks
        self.first_unit = first_unit
        self.cascade_rate = cascade_rate
        self.multi_grid = multi_grid
        self.conv1 = AtrousConv2d(3, spec.stem_channels, 3 if spec.small_stem else 7, stride=2)
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
        """The units of one block, 1 to `blocks`."""
        return self.get_submodule(f"layer{number}")

    def set_output_stride(self, output_stride: int) -> None:
        """Turn strides into rates, or back, in place. The weights are not touched."""
        self.output_stride = output_stride
        if self.spec.shrink > 1:
            self.conv1.set_stride(self.spec.map_stride(0, output_stride))
        for number in range(1, self.blocks + 1):
            # The stride on the way into this block and out of it, towards the next one.
            entry = self._step(number) if number > 1 else 1
            leave = self._step(number + 1) if number < self.blocks else 1
            self._set_block(number, entry, leave)

    def _step(self, number: int) -> int:
        """The stride between the block before and this one."""
        before, here = (self.spec.map_stride(n, self.output_stride) for n in (number - 1, number))
        return here // before

    def set_multi_grid(self, multi_grid: tuple[int, ...]) -> None:
        """Change the unit rates of block4 and the cascade in place. The weights are not touched."""
        self.multi_grid = multi_grid
        self.set_output_stride(self.output_stride)

    def _set_block(self, number: int, entry: int, leave: int) -> None:
        units = self.block(number)
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

    def main_path(self) -> Iterator[nn.Module]:
        """The convolutions and the pooling that a pixel passes on the longest way through, in order."""
        yield self.conv1
        yield from (m for m in self.pool.modules() if isinstance(m, nn.Conv2d | nn.MaxPool2d))
        for number in range(1, self.blocks + 1):
            for unit in self.block(number):
                yield from unit.main_path()

    def feature_maps(self, images: Tensor) -> dict[str, Tensor]:
        """Every block's output by name: "stem", "block1", and so on. Keeps them all in memory.

        Args:
            images: (N, 3, H, W), normalised.

        Returns:
            Maps of (N, C, ceil(H/s), ceil(W/s)), s being the stride reached there.
        """
        maps = {"stem": self.pool(self.relu(self.bn1(self.conv1(images))))}
        features = maps["stem"]
        for number in range(1, self.blocks + 1):
            features = maps[f"block{number}"] = self.block(number)(features)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """The last block's feature map.

        Args:
            images: (N, 3, H, W), normalised; any H and W of at least 1.

        Returns:
            (N, out_channels, ceil(H / output_stride), ceil(W / output_stride)).
        """
        features = self.pool(self.relu(self.bn1(self.conv1(images))))  # (N, C, H/4, W/4)
        for number in range(1, self.blocks + 1):
            features = self.block(number)(features)
        return features


def _pool(spec: BackboneSpec) -> nn.Module:
    """The stem's second stride of 2; nothing where its one convolution takes the whole stride."""
    if spec.shrink > 1:
        return nn.Identity()
    if not spec.small_stem:
        return nn.MaxPool2d(3, 2, padding=1)
    channels = spec.stem_channels
    return nn.Sequential(
        AtrousConv2d(channels, channels, stride=2), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)
    )
