"""The costs of a DeepLabv3: parameters, multiply-adds, and the memory that training needs, part by part.

The Python twin of `costs.js`. It builds no network; tests compare it with one, and with what autograd keeps for the
backward pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from dlv3.resnet import (
    BACKBONES,
    CASCADE_START,
    STEM_STRIDE,
    BackboneSpec,
    BasicUnit,
    FirstUnitRule,
    base_rate,
    map_stride,
)

Head = Literal["pooling", "aspp", "plain"]
ASPP_CHANNELS = 256
ATROUS_BRANCHES = 3


@dataclass(frozen=True)
class Convolution:
    """One convolution whose output is a square map, with batch normalization or with a bias.

    Args:
        kernel_size, channels_in, channels_out: of the filter.
        side: of the output map.
        kept: maps of that size that training keeps: the output, and what batch normalization and ReLU make of it.
        bias: it has a bias, and no batch normalization follows.
    """

    kernel_size: int
    channels_in: int
    channels_out: int
    side: int
    kept: int = 2
    bias: bool = False

    @property
    def weights(self) -> int:
        """Weights of the filter."""
        return self.kernel_size**2 * self.channels_in * self.channels_out

    @property
    def parameters(self) -> int:
        """Weights, and the bias or batch normalization's scale and shift."""
        return self.weights + (1 if self.bias else 2) * self.channels_out

    @property
    def multiply_adds(self) -> int:
        """Every weight counted at every position, on the padding too."""
        return self.weights * self.side**2

    @property
    def outputs(self) -> int:
        """Numbers in the output map."""
        return self.channels_out * self.side**2


@dataclass(frozen=True)
class Stage:
    """The stem or a block of a ResNet, for one square picture.

    Args:
        name: "stem", "block1" to "block7".
        stride: input pixels between neighbouring samples of the output map.
        size: side of that map.
        channels: of that map.
        rates: of each unit's first 3×3 convolution; empty for the stem.
        convolutions: in order, the shortcut's after those of the unit.
    """

    name: str
    stride: int
    size: int
    channels: int
    rates: tuple[int, ...]
    convolutions: tuple[Convolution, ...]


@dataclass
class Part:
    """A part of the model, for one square picture.

    Args:
        name: "stem", "block1" to "block7"; of ASPP "1×1", "atrous 3×3", "pooling", "projection"; "logits".
        parameters: weights and biases of convolutions and batch normalizations.
        multiply_adds: of all convolutions.
        values: numbers that training keeps for the backward pass.
    """

    name: str
    parameters: int
    multiply_adds: int
    values: int

    @classmethod
    def of(cls, name: str, convolutions: Iterable[Convolution], others: int = 0) -> "Part":
        """Add convolutions up; `others` are the numbers kept besides their maps."""
        listed = tuple(convolutions)
        return cls(
            name,
            sum(each.parameters for each in listed),
            sum(each.multiply_adds for each in listed),
            sum(each.kept * each.outputs for each in listed) + others,
        )


def stages(
    *,
    backbone: str = "resnet50",
    size: int = 513,
    output_stride: int = 16,
    blocks: int = 4,
    multi_grid: tuple[int, ...] = (1, 1, 1),
    first_unit: FirstUnitRule = "stage",
) -> list[Stage]:
    """Return the stem and the blocks of a bottleneck ResNet, in order.

    Args:
        backbone: "resnet50" or "resnet101".
        size: side of the square picture, in pixels.
        output_stride, blocks, multi_grid, first_unit: as in `dlv3.DeepLabV3Config`.

    Raises:
        ValueError: the backbone is not made of bottleneck units.
    """
    spec = BACKBONES[backbone]
    if issubclass(spec.unit, BasicUnit):
        raise ValueError(f"backbone={backbone!r}: expected a ResNet of bottleneck units: resnet50, resnet101")
    stem = Convolution(7, 3, spec.stem_channels, side_at(size, 2))
    found = [Stage("stem", STEM_STRIDE, side_at(size, STEM_STRIDE), spec.stem_channels, (), (stem,))]
    for block in range(1, blocks + 1):
        units = spec.units[min(block, CASCADE_START) - 1]
        strides = _strides(block, units, output_stride, first_unit, last=block == blocks)
        rate, grid = base_rate(block, output_stride), multi_grid if block >= CASCADE_START else (1,) * units
        entry = rate if first_unit == "stage" or block == 1 else base_rate(block - 1, output_stride)
        found.append(
            Stage(
                f"block{block}",
                strides[-1],
                side_at(size, strides[-1]),
                spec.block_channels(block),
                tuple((entry if unit == 0 else rate) * grid[unit] for unit in range(units)),
                _convolutions(block, spec, found[-1].channels, [side_at(size, stride) for stride in strides]),
            )
        )
    return found


def _strides(
    block: int, units: int, output_stride: int, first_unit: FirstUnitRule, *, last: bool
) -> list[int]:
    """Return the strides of the map before each unit of a block, and of the block's output map."""
    inside = map_stride(block, output_stride)
    if first_unit == "stage":  # the last unit strides towards the next block
        return [inside] * units + [inside if last else map_stride(block + 1, output_stride)]
    before = map_stride(block - 1, output_stride) if block > 1 else inside
    return [before] + [inside] * units


def _convolutions(block: int, spec: BackboneSpec, channels: int, sides: list[int]) -> tuple[Convolution, ...]:
    """Return the convolutions of a block; `sides` are those of the map before each unit, and after the last."""
    width, out = spec.widths[min(block, CASCADE_START) - 1], spec.block_channels(block)
    found = []
    for here, there in pairwise(sides):
        # The third convolution's second map is the unit's output.
        found += [Convolution(1, channels, width, here), Convolution(3, width, width, there)]
        found.append(Convolution(1, width, out, there))
        if channels != out:
            # No ReLU follows the projection shortcut.
            found.append(Convolution(1, channels, out, there, kept=1))
        channels = out
    return tuple(found)


def price(
    *,
    backbone: str = "resnet50",
    size: int = 513,
    output_stride: int = 16,
    blocks: int = 4,
    head: Head = "pooling",
    num_classes: int = 21,
) -> list[Part]:
    """Return the parts of a model with bottleneck units in the paper's layout (`first_unit="stage"`), in order.

    Max-pooling's indices, dropout's mask and the picture itself are left out of the memory. After the upsampling,
    the cross-entropy keeps one value per class and pixel; it counts as the logits'.

    Args:
        backbone: "resnet50" or "resnet101".
        size: side of the square picture, in pixels.
        output_stride, blocks, num_classes: as in `dlv3.DeepLabV3Config`; output stride 4 to 32.
        head: "pooling" is ASPP with image pooling, "aspp" is ASPP without, "plain" the cascade's classifier.

    Returns:
        The stem, each block, the parts of ASPP where there is one, and the logits.

    Raises:
        ValueError: the backbone is not made of bottleneck units.
    """
    stem, *rest = stages(backbone=backbone, size=size, output_stride=output_stride, blocks=blocks)
    parts = [Part.of(stage.name, stage.convolutions) for stage in (stem, *rest)]
    # Max-pooling's output, which block1 reads.
    parts[1].values += stem.channels * stem.size**2
    channels, side = rest[-1].channels, side_at(size, output_stride)
    if head != "plain":
        parts += _aspp(channels, side, image_pooling=head == "pooling")
        channels = ASPP_CHANNELS
    logits = Convolution(1, channels, num_classes, side, kept=0, bias=True)
    return [*parts, Part.of("logits", [logits], others=num_classes * size**2)]


def _aspp(channels: int, side: int, *, image_pooling: bool) -> list[Part]:
    parts = [
        Part.of("1×1", [Convolution(1, channels, ASPP_CHANNELS, side)]),
        Part.of("atrous 3×3", [Convolution(3, channels, ASPP_CHANNELS, side)] * ATROUS_BRANCHES),
    ]
    if image_pooling:
        parts.append(Part.of("pooling", [Convolution(1, channels, ASPP_CHANNELS, 1)], others=channels))
    together = (1 + ATROUS_BRANCHES + image_pooling) * ASPP_CHANNELS
    projection = Convolution(1, together, ASPP_CHANNELS, side)
    # The concatenation is a map of its own.
    return [*parts, Part.of("projection", [projection], others=together * side**2)]


def side_at(size: int, stride: int) -> int:
    """Return how many samples a stride leaves along a side of a picture: `size / stride`, rounded up."""
    return -(-size // stride)
