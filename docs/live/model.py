"""The lessons' model as one file for every output stride, multi-grid and choice of branches.

Strides and rates are attributes of a convolution, not weights. In an ONNX file each of them is one byte, as long as it
is below 128. So the page needs one file: it writes the numbers that a reader chose over those bytes and loads the
result. `Tunable` says which bytes, and which numbers an output stride asks for.

The file comes from `dlv3.export`, which compares it with the model. Three changes are made to it here:

- the shortcut that takes every second sample becomes a max-pooling of 1×1 samples, which has a stride to set;
- image pooling is repeated to the size of the first branch's map, not to a size computed for one output stride;
- ASPP's branches, joined, are an output ("branches"), and are multiplied by an input ("mask", one number a channel)
  before they are projected: 0 switches a branch off.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper

from dlv3 import assets, weights
from dlv3.atrous import AtrousConv2d
from dlv3.data.made.scenes import CLASSES
from dlv3.data.palette import SCENES_PALETTE
from dlv3.deeplab import DeepLabV3
from dlv3.export import describe, export

OUTPUT_STRIDES = (32, 16, 8, 4)
TUNED = ("strides", "dilations", "pads")
LARGEST = 127
"""Largest number that takes one byte in the file."""
SHORTCUT = "backbone.layer1.0.shortcut"
"""Name of the one shortcut without weights that has a stride."""


@dataclass(frozen=True)
class Tunable:
    """A layer whose stride and rate the page sets.

    Args:
        name: the layer's name in the model.
        strides, dilations, pads: places of their bytes in the file; the padding of a 3×3 convolution is its rate.
        unit: place of its unit rate in multi-grid, or None.
        branch: place of its rate among ASPP's, or None.
        stride: its stride at each of `OUTPUT_STRIDES`.
        rate: its rate there, with unit rates of 1.
    """

    name: str
    strides: list[int]
    dilations: list[int]
    pads: list[int]
    unit: int | None
    branch: int | None
    stride: list[int]
    rate: list[int]


def live_model() -> tuple[bytes, str]:
    """Return the file, and what the page has to know of it as JSON."""
    model = weights.load(assets.weights("scenes_laptop")).eval()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(model, path, classes=CLASSES)
        exported = onnx.load(path)
    changed = changeable(exported)
    content = changed.SerializeToString()
    facts: dict[str, Any] = {key.removeprefix("dlv3."): json.loads(v) for key, v in describe(model).items()}
    facts |= {
        "classes": CLASSES,
        "palette": SCENES_PALETTE.tolist(),
        "output_strides": OUTPUT_STRIDES,
        "layers": [asdict(layer) for layer in tunable(changed, model)],
    }
    return content, json.dumps(facts)


def changeable(exported: ModelProto) -> ModelProto:
    """Return a copy of an exported model with the three changes that the module's docstring names.

    Raises:
        ValueError: the exporter wrote another graph than the changes are made for.
    """
    model = ModelProto()
    model.CopyFrom(exported)
    nodes = list(model.graph.node)
    slices = [node for node in nodes if node.op_type == "Slice"]
    expands = [node for node in nodes if node.op_type == "Expand"]
    if len(slices) != 2 or slices[1].input[0] != slices[0].output[0] or len(expands) != 1:
        raise ValueError(
            f"the exported graph has {len(slices)} Slice and {len(expands)} Expand nodes: expected the two of one "
            "strided shortcut and the one of image pooling"
        )
    joined = next(n for n in nodes if n.op_type == "Concat" and expands[0].output[0] in n.input)
    made: list[NodeProto] = []
    for node in nodes:
        node.ClearField("metadata_props")
        if node == slices[0]:
            continue
        if node == slices[1]:
            node = helper.make_node(
                "MaxPool",
                [slices[0].input[0]],
                [node.output[0]],
                SHORTCUT,
                kernel_shape=[1, 1],
                strides=[2, 2],
            )
        elif node == expands[0]:
            made.append(helper.make_node("Shape", [joined.input[0]], ["map_shape"]))
            node = helper.make_node("Expand", [node.input[0], "map_shape"], [node.output[0]])
        elif node == joined:
            made.append(helper.make_node("Concat", list(node.input), ["branches"], axis=1))
            node = helper.make_node("Mul", ["branches", "mask"], [node.output[0]])
        made.append(node)
    del model.graph.node[:]
    del model.graph.value_info[:]
    model.graph.node.extend(made)
    channels = _channels(model, joined)
    model.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, channels, 1, 1]))
    size: list[str | int | None] = ["batch", channels, "map_height", "map_width"]
    model.graph.output.append(helper.make_tensor_value_info("branches", TensorProto.FLOAT, size))
    return model


def _channels(model: ModelProto, joined: NodeProto) -> int:
    projected = next(n for n in model.graph.node if n.op_type == "Conv" and n.input[0] == joined.output[0])
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    return int(shapes[projected.input[1]][1])


def tunable(model: ModelProto, network: DeepLabV3) -> list[Tunable]:
    """Return the layers whose numbers the page sets.

    Args:
        model: the file, from `changeable`.
        network: the model that it was made from; it is set to each output stride, then back.
    """
    places = _places(model)
    numbers = _numbers(network)
    units = {conv: i for i, unit in enumerate(network.backbone.units(4)) for conv in unit.spatial_convs}
    branches = {conv: i for i, conv in enumerate(network.aspp.atrous_convs)} if network.aspp else {}
    modules = dict(network.named_modules())
    found = []
    for name, bytes_of in places.items():
        conv = modules.get(name)
        strides, rates = zip(*numbers[name], strict=True)
        found.append(
            Tunable(
                name,
                **bytes_of,
                unit=units.get(conv) if isinstance(conv, AtrousConv2d) else None,
                branch=branches.get(conv) if isinstance(conv, AtrousConv2d) else None,
                stride=list(strides),
                rate=list(rates),
            )
        )
    return found


def _numbers(network: DeepLabV3) -> dict[str, list[tuple[int, int]]]:
    """Return each layer's stride and rate at `OUTPUT_STRIDES`, with unit rates of 1."""
    before = network.output_stride, network.backbone.multi_grid
    network.backbone.set_multi_grid((1, 1, 1))
    numbers: dict[str, list[tuple[int, int]]] = {SHORTCUT: []}
    for output_stride in OUTPUT_STRIDES:
        network.set_output_stride(output_stride)
        numbers[SHORTCUT].append((network.backbone.units(1)[0].stride, 1))
        for name, module in network.named_modules():
            if isinstance(module, AtrousConv2d):
                numbers.setdefault(name, []).append((module.stride[0], module.rate))
    network.set_output_stride(before[0])
    network.backbone.set_multi_grid(before[1])
    return numbers


def _places(model: ModelProto) -> dict[str, dict[str, list[int]]]:
    """Find the bytes of strides, rates and paddings, by the layer's name and the attribute's.

    Two files that differ in these numbers alone differ in their bytes alone, and these come in the graph's order.
    """
    ones, twos = _filled(model, 1), _filled(model, 2)
    places = iter([place for place, (one, two) in enumerate(zip(ones, twos, strict=True)) if one != two])
    found: dict[str, dict[str, list[int]]] = {}
    for node in model.graph.node:
        name = _layer(node)
        if name is None:
            continue
        found[name] = {kind: [] for kind in TUNED}
        for attribute in node.attribute:
            if attribute.name in TUNED:
                found[name][attribute.name] = [next(places) for _ in attribute.ints]
        # A 1×1 convolution has no padding and no rate that matters.
        if node.op_type == "Conv" and _side(node) == 1:
            found[name] |= {"dilations": [], "pads": []}
    if next(places, None) is not None:
        raise ValueError("the exported file changes at more places than its strides, rates and paddings have")
    return found


def _layer(node: NodeProto) -> str | None:
    if node.op_type == "MaxPool":
        return node.name
    weight = node.input[1] if node.op_type == "Conv" else ""
    # The last convolution has no stride and no rate to set; in the model it is an ordinary one.
    return weight.removesuffix(".weight") if weight and weight != "classifier.1.weight" else None


def _side(node: NodeProto) -> int:
    return next(int(a.ints[0]) for a in node.attribute if a.name == "kernel_shape")


def _filled(model: ModelProto, value: int) -> bytes:
    copy = ModelProto()
    copy.CopyFrom(model)
    for node in copy.graph.node:
        for attribute in node.attribute:
            if _layer(node) is not None and attribute.name in TUNED:
                attribute.ints[:] = [value] * len(attribute.ints)
    content: bytes = copy.SerializeToString()
    return content
