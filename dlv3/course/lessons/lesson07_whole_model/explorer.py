"""The price explorer: what each part of a DeepLabv3 costs, in parameters, multiply-adds and memory."""

import traitlets as t

from dlv3.course.kit.costs import Part, price
from dlv3.course.kit.explorer import Explorer


class PriceExplorer(Explorer):
    """The parts of the whole model as three columns of bars: parameters, multiply-adds, memory kept in training.

    Dashed outlines are the same model at output stride 16. All of it is for one picture and float32.

    Args:
        output_stride: 4, 8, 16 or 32.
        blocks: 4 to 7, the cascade's depth.
        head: "pooling" is ASPP with image pooling, "aspp" ASPP without, "plain" the cascade's classifier.
        backbone: "resnet50" or "resnet101".
        size: 129 to 1025, the side of the square picture in pixels; a multiple of 64, and 1.
        num_classes: 2, 19 (Cityscapes), 21 (PASCAL VOC) or 150.

    Raises:
        traitlets.TraitError: a value is out of its range.
    """

    script = "price"
    needs = ("costs.js",)

    output_stride = t.Enum((4, 8, 16, 32), default_value=16).tag(sync=True, state=True)
    blocks = t.Int(4, min=4, max=7).tag(sync=True, state=True)
    head = t.Enum(("pooling", "aspp", "plain"), default_value="pooling").tag(sync=True, state=True)
    backbone = t.Enum(("resnet50", "resnet101"), default_value="resnet50").tag(sync=True, state=True)
    size = t.Int(513, min=129, max=1025).tag(sync=True, state=True)
    num_classes = t.Enum((2, 19, 21, 150), default_value=21).tag(sync=True, state=True)

    @property
    def parts(self) -> list[Part]:
        """The parts in order, with their figures."""
        return price(**self.state)
