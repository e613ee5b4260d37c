"""What each block of a ResNet costs at an output stride: sizes, strides, rates, multiply-adds, memory.

The Python twin of the output-stride ladder's arithmetic. It builds no network; tests hold it against one.
"""

from dataclasses import dataclass

from dlv3.resnet import (
    BACKBONES,
    CASCADE_START,
    BasicUnit,
    FirstUnitRule,
    base_rate,
    map_stride,
)


@dataclass(frozen=True)
class Rung:
    """One block, or the stem, of the ladder, for one square picture.

    Args:
        name: "stem", "block1" to "block7".
        stride: input pixels between neighbouring samples of the map it puts out.
        size: side of that map.
        channels: of that map.
        rates: of each unit's first 3×3 convolution; empty for the stem.
        weights: of all convolutions.
        multiply_adds: of all convolutions.
        values: that all convolutions put out, which training keeps for the backward pass.
    """

    name: str
    stride: int
    size: int
    channels: int
    rates: tuple[int, ...]
    weights: int
    multiply_adds: int
    values: int


def ladder(
    *,
    backbone: str = "resnet50",
    size: int = 513,
    output_stride: int = 16,
    blocks: int = 4,
    multi_grid: tuple[int, ...] = (1, 1, 1),
    first_unit: FirstUnitRule = "stage",
) -> list[Rung]:
    """The stem and the blocks of a bottleneck ResNet, in order.

    Args:
        backbone: "resnet50" or "resnet101".
        size: side of the square picture, in pixels.
        output_stride, blocks, multi_grid, first_unit: as in `dlv3.DeepLabV3Config`.

    Returns:
        One rung for the stem and one for each block.

    Raises:
        ValueError: the backbone is not made of bottleneck units.
    """
    spec = BACKBONES[backbone]
    if issubclass(spec.unit, BasicUnit):
        raise ValueError(f"backbone={backbone!r}: expected a ResNet of bottleneck units: resnet50, resnet101")
    half, quarter = _ceil(size, 2), _ceil(size, 4)
    stem = _Count().add(7, 3, spec.stem_channels, half)
    rungs = [Rung("stem", 4, quarter, spec.stem_channels, (), stem.weights, stem.multiply_adds, stem.values)]
    channels = spec.stem_channels
    for block in range(1, blocks + 1):
        inside = map_stride(block, output_stride)
        before = map_stride(block - 1, output_stride) if block > 1 else inside
        after = map_stride(block + 1, output_stride) if block < blocks else inside
        units = spec.units[min(block, 4) - 1]
        grid = multi_grid if block >= CASCADE_START else (1,) * units
        rate = base_rate(block, output_stride)
        entry_rate = rate if first_unit == "stage" or block == 1 else base_rate(block - 1, output_stride)
        # Strides of the map before each unit, and of the last one's output.
        strides = [inside] * units + [after] if first_unit == "stage" else [before] + [inside] * units
        count = _Count()
        width, out = spec.widths[min(block, 4) - 1], spec.block_channels(block)
        for unit in range(units):
            here, there = _ceil(size, strides[unit]), _ceil(size, strides[unit + 1])
            count.add(1, channels, width, here).add(3, width, width, there).add(1, width, out, there)
            if channels != out:
                count.add(1, channels, out, there)  # the projection shortcut
            channels = out
        rates = tuple((entry_rate if unit == 0 else rate) * grid[unit] for unit in range(units))
        rungs.append(
            Rung(
                f"block{block}",
                strides[-1],
                _ceil(size, strides[-1]),
                out,
                rates,
                count.weights,
                count.multiply_adds,
                count.values,
            )
        )
    return rungs


@dataclass
class _Count:
    """A running sum over convolutions."""

    weights: int = 0
    multiply_adds: int = 0
    values: int = 0

    def add(self, kernel_size: int, channels_in: int, channels_out: int, side: int) -> "_Count":
        weights = kernel_size**2 * channels_in * channels_out
        self.weights += weights
        self.multiply_adds += weights * side**2
        self.values += channels_out * side**2
        return self


def _ceil(size: int, stride: int) -> int:
    return -(-size // stride)
