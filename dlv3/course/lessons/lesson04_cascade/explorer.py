"""The cascade explorer: block4 to block7 at an output stride, and the places that one output reads (section 3.2)."""

import traitlets as t

from dlv3 import receptive_field, resnet
from dlv3.course.kit.explorer import Explorer

# Pixels along a side, as the paper's crops.
PICTURE = 513
# 3×3 convolutions in each block from block4 on.
LAYERS = 3


class CascadeExplorer(Explorer):
    """A ResNet-50's cascade over one scene of 513 × 513 pixels: strides, rates, and the places that an output reads.

    Args:
        blocks: 4 to 7, the cascade's depth.
        output_stride: 4 to 256, a power of two; up to 32 with 4 blocks, and twice that with each further block.
        traced: number of last 3×3 layers followed back from the output; up to three for each block from block4 on.
        x, y: 0 to 512, a pixel; the sample of the last map nearest to it is the output.

    Raises:
        traitlets.TraitError: a value is out of its range, or the blocks do not reach it.
    """

    script = "cascade"
    needs = ("costs.js",)

    blocks = t.Int(7, min=4, max=7).tag(sync=True, state=True)
    output_stride = t.Enum((4, 8, 16, 32, 64, 128, 256), default_value=16).tag(sync=True, state=True)
    traced = t.Int(1, min=1, max=12).tag(sync=True, state=True)
    x = t.Int(256, min=0, max=PICTURE - 1).tag(sync=True, state=True)
    y = t.Int(256, min=0, max=PICTURE - 1).tag(sync=True, state=True)

    @t.validate("blocks", "output_stride", "traced")
    def _reached(self, proposal: t.Bunch) -> int:
        values = {name: getattr(self, name) for name in ("blocks", "output_stride", "traced")}
        values[proposal["trait"].name] = proposal["value"]
        blocks = values["blocks"]
        largest, most = resnet.max_output_stride(blocks), LAYERS * (blocks - resnet.CASCADE_START + 1)
        if values["output_stride"] > largest:
            raise t.TraitError(f"output_stride={values['output_stride']}: {blocks} blocks reach {largest}")
        if values["traced"] > most:
            raise t.TraitError(
                f"traced={values['traced']}: from block4 to block{blocks} there are {most} 3×3 layers"
            )
        value: int = proposal["value"]
        return value

    @property
    def rates(self) -> dict[int, int]:
        """Base rate of each block from block3 on, by its number."""
        return {block: resnet.base_rate(block, self.output_stride) for block in range(3, self.blocks + 1)}

    @property
    def side(self) -> int:
        """Samples along a side of the last feature map."""
        return -(-PICTURE // self.output_stride)

    @property
    def sample(self) -> tuple[int, int]:
        """Row and column of the output sample."""
        row, column = (
            min(self.side - 1, int(pixel / self.output_stride + 0.5)) for pixel in (self.y, self.x)
        )
        return row, column

    @property
    def offsets(self) -> list[int]:
        """Distances from the output to the places that it reads through the traced layers, in pixels along an axis."""
        reached = {0}
        for layer in range(self.traced):
            block = self.blocks - layer // LAYERS
            apart = resnet.base_rate(block, self.output_stride) * resnet.map_stride(block, self.output_stride)
            reached = {place + tap for place in reached for tap in (-apart, 0, apart)}
        return sorted(reached)

    @property
    def places(self) -> tuple[int, int]:
        """Number of places that the output reads, and number of those that lie on the picture."""
        inside = 1
        for index in self.sample:
            centre = index * self.output_stride
            inside *= sum(0 <= centre + offset < PICTURE for offset in self.offsets)
        return len(self.offsets) ** 2, inside

    @property
    def field(self) -> int:
        """Side of the output's receptive field, in pixels; the same at every output stride."""
        stem = [receptive_field.Layer(7, 2), receptive_field.Layer(3, 2)]
        layers = [
            receptive_field.Layer(3, rate=resnet.base_rate(block, resnet.STEM_STRIDE))
            for block in range(1, self.blocks + 1)
            for _ in range(resnet.BACKBONES["resnet50"].units[min(block, resnet.CASCADE_START) - 1])
        ]
        return receptive_field.receptive_field([*stem, *layers]).size
