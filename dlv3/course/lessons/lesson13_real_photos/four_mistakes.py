"""Four mistakes side by side: what each does to the answer, and scores as bars."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import png
from dlv3.course.kit.plots import GREEN, INK, ORANGE
from dlv3.data.palette import overlay
from dlv3.evaluation import ConfusionMatrix

Pair = tuple[Tensor, Tensor]
Pixels = npt.NDArray[np.uint8]
MIDDLE = 97
"""Side of the centre crop, in pixels."""
WAYS = (
    "right: the model of section 4", "trained, padded with 255", "trained, padded with 0", "only the middle is scored",
    "batch norm thawed, two photos",
)  # fmt: skip


@torch.inference_mode()
def answer(network: nn.Module, image: Tensor) -> Tensor:
    """Return the class of each pixel, (H, W), of one photo (3, H, W)."""
    classes: Tensor = network(image[None]).argmax(1)[0]
    return classes


def middle(image: Tensor, labels: Tensor, side: int) -> Pair:
    """Return the middle of a photo and of its labels."""
    top, left = ((n - side) // 2 for n in labels.shape)
    rows, columns = slice(top, top + side), slice(left, left + side)
    return image[:, rows, columns], labels[rows, columns]


def score(network: nn.Module, pairs: Sequence[Pair], num_classes: int = 4) -> float:
    """Return the mIOU in percent on photos, one at a time."""
    matrix = ConfusionMatrix(num_classes)
    for image, labels in pairs:
        matrix.update(answer(network, image)[None], labels[None])
    return 100 * matrix.miou()


def thawed_score(network: nn.Module, pairs: Sequence[Pair], batch: int, num_classes: int = 4) -> float:
    """Return the mIOU in percent in training mode, in batches of so many photos of one size; it alters the network."""
    matrix = ConfusionMatrix(num_classes)
    for at in range(0, len(pairs), batch):
        images, labels = (torch.stack(each) for each in zip(*pairs[at : at + batch], strict=True))
        with torch.no_grad():
            matrix.update(network(images).argmax(1), labels)
    return 100 * matrix.miou()


def bars(scores: Mapping[str, float], title: str) -> Figure:
    """Return scores as horizontal bars; the first, which is the right one, is green and hatched."""
    figure, axis = plt.subplots(figsize=(7, 0.6 + 0.42 * len(scores)))
    others = len(scores) - 1
    drawn = axis.barh(
        list(scores),
        list(scores.values()),
        0.6,
        color=[GREEN] + [ORANGE] * others,
        hatch=["//"] + [""] * others,
    )
    axis.bar_label(drawn, fmt="%.1f", padding=3, color=INK)
    axis.invert_yaxis()
    axis.grid(False, axis="y")
    axis.set(title=title, xlabel="mIOU in %", xlim=(0, 100))
    return figure


def mistakes_explorer(
    networks: Mapping[str, nn.Module],
    thawed: nn.Module,
    photos: Sequence[Pixels],
    pairs: Sequence[Pair],
    palette: Pixels,
) -> ImageExplorer:
    """Return an explorer of photos, their labels and the answers of each of WAYS.

    Args:
        networks: the networks of the first three ways, in evaluation mode.
        thawed: the network left in training mode.
        photos: (H, W, 3) each.
        pairs: the same photos normalised, with their labels.
        palette: the classes' colours.
    """
    shown = {(way, i): _said(way, i, networks, thawed, pairs) for way in WAYS for i in range(len(pairs))}

    def render(photo: int, way: str, opacity: int) -> bytes:
        picture, truth = photos[photo], pairs[photo][1].numpy().astype(np.uint8)
        said = shown[way, photo]
        panels = [picture, *(coloured(picture, mask, palette, opacity / 100) for mask in (truth, said))]
        panels[2] = np.where((said == 255)[..., None], panels[2] // 3, panels[2])  # not looked at: dark
        sheet = np.full((193, 3 * 193 + 16, 3), 119, np.uint8)
        for place, panel in enumerate(panels):
            sheet[: panel.shape[0], place * 201 : place * 201 + panel.shape[1]] = panel
        return png(sheet, scale=2)

    def says(photo: int, way: str, opacity: int) -> str:
        truth, said = pairs[photo][1].numpy(), shown[way, photo]
        kept = (truth != 255) & (said != 255)
        right, looked = (truth == said)[kept].mean(), kept.sum() / (truth != 255).sum()
        return (
            f"Photo {photo}, {way}: {looked:.0%} of the labelled pixels are looked at, and {right:.0%} of these are "
            f"right. Opacity {opacity} %."
        )

    controls = {
        "photo": Slider("Photo", range(len(pairs)), min(3, len(pairs) - 1)),
        "way": Pick("What was done", WAYS),
        "opacity": Slider("Opacity, %", range(0, 101, 10), 80),
    }
    return ImageExplorer(render, controls, says=says, title="Photo | labels | answer", width=790)


def coloured(image: Pixels, mask: npt.ArrayLike, palette: Pixels, alpha: float = 0.6) -> Pixels:
    """Return the photo with its classes in colour; background, 0, and 255 stay as they are."""
    mask = np.asarray(mask)
    return overlay(np.asarray(image), np.where(mask == 0, 255, mask), palette, alpha)


def _said(
    way: str, i: int, networks: Mapping[str, nn.Module], thawed: nn.Module, pairs: Sequence[Pair]
) -> Pixels:
    """Return the answer for one photo, (H, W); 255 where it is not looked at."""
    image = pairs[i][0]
    if way == WAYS[4]:
        mate = F.interpolate(pairs[i - 5][0][None], image.shape[1:], mode="bilinear")
        with torch.no_grad():
            said = thawed(torch.cat([image[None], mate])).argmax(1)[0]
    elif way == WAYS[3]:
        said = torch.full(image.shape[1:], 255)
        top, left = ((n - MIDDLE) // 2 for n in said.shape)
        said[top : top + MIDDLE, left : left + MIDDLE] = answer(
            networks[WAYS[0]], middle(image, said, MIDDLE)[0]
        )
    else:
        said = answer(networks[way], image)
    classes: Pixels = said.numpy().astype(np.uint8)
    return classes
