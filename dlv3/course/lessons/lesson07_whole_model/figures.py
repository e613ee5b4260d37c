"""Lesson 07's figures. Each says in words what it shows, and refuses numbers that its words do not fit."""

from collections.abc import Mapping, Sequence

from matplotlib import pyplot as plt
from torch import Tensor, nn

from dlv3.course.kit.costs import Head, price
from dlv3.course.kit.plots import BLUE, ORANGE, show, show_image
from dlv3.course.lessons.lesson07_whole_model.small_model import labels_of
from dlv3.data import SegmentationDataset
from dlv3.data.palette import colourise
from dlv3.data.transforms import EvalTransform

BRANCHES = ("1×1", "rate 6", "rate 12", "rate 18", "pooling", "projection")
# The paper's mIOU with a ResNet-101 on VOC's val set.
CASCADE = {4: 70.23, 5: 75.67, 6: 76.09, 7: 76.66}  # Table 3, multi-grid (1, 2, 1), by blocks
CASCADE_AT_8 = 78.05  # Table 4
PYRAMID = {16: 77.21, 8: 78.51}  # Table 6, by output stride


def parts(scenes: SegmentationDataset, index: int, maps: Mapping[str, Tensor]) -> None:
    """Draw what the model's parts pass on for one scene: `maps` has stem, block4, ASPP, logits and upsampled."""
    figure, axes = plt.subplots(1, 6, figsize=(11, 2.3))
    show_image(axes[0], scenes[index][0].permute(1, 2, 0), "scene, 129 × 129")
    for axis, (name, tensor) in zip(axes[1:], maps.items(), strict=True):
        title = f"{name}, {tensor.shape[2]} × {tensor.shape[3]}"
        classes = name in ("logits", "upsampled")
        show_image(
            axis,
            colourise(tensor.argmax(1)[0], scenes.palette) if classes else tensor[0].abs().mean(0),
            title,
        )
    show(
        figure,
        "Six panels from left to right. The scene; the stem's map, in which outlines can still be told; the maps "
        "of block4 and ASPP, 9 × 9 patches of light and dark; the class of the largest logit at each of the 81 "
        "samples, as coloured squares; the same logits upsampled to the picture's size, where the squares have "
        "become rounded shapes.",
    )


def at_work(model: nn.Module, scenes: SegmentationDataset, shown: Sequence[int]) -> None:
    """Draw scenes, a model's labels and the true ones."""
    prepare = EvalTransform()
    figure, axes = plt.subplots(3, len(shown), figsize=(2 * len(shown), 6.2))
    for column, index in zip(axes.T, shown, strict=True):
        photo, truth = scenes[index]
        labels = labels_of(model, prepare(photo, truth)[0][None])
        right = (labels == truth).float().mean()
        assert right > 0.8
        show_image(column[0], photo.permute(1, 2, 0), f"scene {index}")
        show_image(column[1], colourise(labels, scenes.palette), f"your model: {right:.0%} right")
        show_image(column[2], colourise(truth, scenes.palette), "the truth")
    show(
        figure,
        "Four scenes, the labels that the assembled model gives at output stride 8, and the true labels. In each "
        "prediction the large shapes are in the right places, with rounded corners; neighbours run together, and "
        "of wires and small shapes much is missing. Of each scene more than 80% of the pixels have their true "
        "class.",
    )


def weights(layers: Mapping[str, Sequence[int]]) -> None:
    """Draw the parameters of each unit, and of each branch of ASPP."""
    atrous, unit = layers["ASPP"][1], layers["block4"][1]
    assert abs(atrous / unit - 1) < 0.1  # about as many
    early = [one for name in ("block1", "block2", "block3") for one in layers[name]]
    assert max(early) < 1.6e6
    assert all(4.4e6 < one < 6.1e6 for one in layers["block4"])
    figure, axis = plt.subplots(figsize=(10, 3.4))
    labels: list[str] = []
    for name, counts in layers.items():
        for number, one in enumerate(counts):
            aspp = name == "ASPP"
            colour, hatch = (ORANGE, "//") if aspp else (BLUE, "")
            axis.bar(len(labels), one / 1e6, width=0.7, color=colour, hatch=hatch)
            labels.append(BRANCHES[number] if aspp else f"{name}.{number + 1}" if len(counts) > 1 else name)
    axis.set_xticks(range(len(labels)), labels, fontsize=9, rotation=60, ha="right", rotation_mode="anchor")
    axis.set(title="Parameters by unit (blue) and by branch of ASPP (orange, hatched)", ylabel="millions")
    axis.grid(False, axis="x")
    show(
        figure,
        "Bars from the stem to the classifier. The units of block1 to block3 stay below 1.6 million; the three "
        "units of block4 stand at 4.5 to 6 million, and next to them ASPP's three atrous branches at 4.7 million "
        "each; its other parts and the classifier are low.",
    )


Line = list[tuple[float, float]]
"""Billions of multiply-adds, and mIOU in percent."""


def adds_of(blocks: int = 4, head: Head = "pooling", output_stride: int = 16) -> float:
    """Return the billions of multiply-adds of a model with a ResNet-101, for one picture of 513 × 513."""
    found = price(
        backbone="resnet101", blocks=blocks, head=head, output_stride=output_stride, size=513, num_classes=21
    )
    return sum(part.multiply_adds for part in found) / 1e9


def worth_lines() -> tuple[Line, Line, Line]:
    """Return the paper's scores over multiply-adds: the cascade by depth and by output stride, and ASPP."""
    deeper = [(adds_of(blocks, "plain"), miou) for blocks, miou in CASCADE.items()]
    denser = [deeper[-1], (adds_of(7, "plain", 8), CASCADE_AT_8)]
    pyramid = [(adds_of(output_stride=stride), miou) for stride, miou in PYRAMID.items()]
    return deeper, denser, pyramid


def worth() -> None:
    """Draw the paper's scores over multiply-adds, and print what three more blocks and what ASPP add."""
    deeper, denser, pyramid = worth_lines()
    figure, axis = plt.subplots(figsize=(8, 3.8))
    axis.plot(*zip(*deeper, strict=True), label="cascade, output stride 16: 4 to 7 blocks")
    axis.plot(*zip(*denser, strict=True), label="cascade, 7 blocks: from 16 to 8")
    axis.plot(*zip(*pyramid, strict=True), label="ASPP and image pooling: from 16 to 8")
    axis.set(
        xscale="log",
        title="What the multiply-adds buy: the paper's models, ResNet-101",
        xlabel="billions of multiply-adds for one picture of 513 × 513",
        ylabel="mIOU in %",
    )
    ticks = (50, 70, 100, 150, 200, 300)
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.legend(loc="lower right")
    (cheap, low), (dear, high), (adds, miou) = deeper[0], deeper[-1], pyramid[0]
    print(f"block5 to block7: {dear - cheap:4.1f} billion more, {high - low:+.2f} points")
    print(f"ASPP and pooling: {adds - cheap:4.1f} billion more, {miou - low:+.2f} points")
    show(
        figure,
        "Three lines of mIOU over multiply-adds, which run from 53 to 351 billion. The cascade climbs from 70.2% "
        "with 4 blocks to 76.7% with 7. ASPP at output stride 16 lies above the cascade of the same price. Both "
        "rise by 1.3 to 1.4 points when the output stride goes to 8, at about 3.6 times the price.",
    )
