"""What each part of a DeepLabv3 costs: parameters, multiply-adds, and the memory that training needs for it.

The Python twin of the price explorer's arithmetic. It builds no network; tests hold it against one, and against
what autograd keeps for the backward pass.
"""

from dataclasses import dataclass
from typing import Literal

from dlv3.resnet import BACKBONES, BackboneSpec, BasicUnit, map_stride

Head = Literal["pooling", "aspp", "plain"]
ASPP_CHANNELS = 256
ATROUS_BRANCHES = 3


@dataclass
class Part:
    """A part of the model, for one square picture.

    Args:
        name: "stem", "block1" to "block7"; of ASPP "1×1", "atrous 3×3", "pooling", "projection"; "logits".
        parameters: weights and biases of convolutions and batch normalizations.
        multiply_adds: of all convolutions, every weight counted at every position.
        values: numbers that training keeps for the backward pass. A convolution's output is kept, and so is what
            batch normalization and ReLU make of it.
    """

    name: str
    parameters: int = 0
    multiply_adds: int = 0
    values: int = 0

    def add(
        self,
        kernel_size: int,
        channels_in: int,
        channels_out: int,
        side: int,
        kept: int = 2,
        bias: bool = False,
    ) -> "Part":
        """One convolution with batch normalization, or with a bias; `kept` maps of its output's size are kept."""
        weights = kernel_size**2 * channels_in * channels_out
        self.parameters += weights + (channels_out if bias else 2 * channels_out)
        self.multiply_adds += weights * side**2
        self.values += kept * channels_out * side**2
        return self


def price(
    *,
    backbone: str = "resnet50",
    size: int = 513,
    output_stride: int = 16,
    blocks: int = 4,
    head: Head = "pooling",
    num_classes: int = 21,
) -> list[Part]:
    """The parts of a model with bottleneck units in the paper's layout (`first_unit="stage"`), in order.

    Max-pooling's indices, dropout's mask and the picture itself are left out of the memory. Behind the upsampling,
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
    spec = BACKBONES[backbone]
    if issubclass(spec.unit, BasicUnit):
        raise ValueError(f"backbone={backbone!r}: expected a ResNet of bottleneck units: resnet50, resnet101")
    parts = [Part("stem").add(7, 3, spec.stem_channels, _ceil(size, 2))]
    channels = spec.stem_channels
    for block in range(1, blocks + 1):
        parts.append(_block(block, spec, channels, size, output_stride, last=block == blocks))
        channels = spec.block_channels(block)
    parts[1].values += spec.stem_channels * _ceil(size, 4) ** 2  # what max-pooling hands to block1
    side = _ceil(size, output_stride)
    if head != "plain":
        parts += _aspp(channels, side, image_pooling=head == "pooling")
        channels = ASPP_CHANNELS
    logits = Part("logits").add(1, channels, num_classes, side, kept=0, bias=True)
    logits.values = num_classes * size**2
    return [*parts, logits]


def _block(
    block: int, spec: BackboneSpec, channels: int, size: int, output_stride: int, *, last: bool
) -> Part:
    """A block whose last unit strides towards the next block."""
    part = Part(f"block{block}")
    width, out = spec.widths[min(block, 4) - 1], spec.block_channels(block)
    units = spec.units[min(block, 4) - 1]
    inside = map_stride(block, output_stride)
    after = inside if last else map_stride(block + 1, output_stride)
    for unit in range(units):
        here, there = _ceil(size, inside), _ceil(size, after if unit == units - 1 else inside)
        # The third convolution's second map is the unit's output.
        part.add(1, channels, width, here).add(3, width, width, there).add(1, width, out, there)
        if channels != out:
            part.add(1, channels, out, there, kept=1)  # the projection: no ReLU behind it
        channels = out
    return part


def _aspp(channels: int, side: int, *, image_pooling: bool) -> list[Part]:
    parts = [Part("1×1").add(1, channels, ASPP_CHANNELS, side), Part("atrous 3×3")]
    for _ in range(ATROUS_BRANCHES):
        parts[1].add(3, channels, ASPP_CHANNELS, side)
    if image_pooling:
        parts.append(Part("pooling", values=channels).add(1, channels, ASPP_CHANNELS, 1))
    together = (1 + ATROUS_BRANCHES + image_pooling) * ASPP_CHANNELS
    # The concatenation is a map of its own.
    parts.append(Part("projection", values=together * side**2).add(1, together, ASPP_CHANNELS, side))
    return parts


def _ceil(size: int, stride: int) -> int:
    return -(-size // stride)
