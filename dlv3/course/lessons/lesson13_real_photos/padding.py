"""The mistake of padded labels, made on purpose: train on small photos in large crops, and see what is lost where."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.plots import BLUE, ORANGE
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.training.start import load_initial

Pair = tuple[Tensor, Tensor]
"""A photo (3, H, W), normalised, and its labels (H, W)."""
Pad = Callable[[Tensor, Tensor, int, int], Pair]
"""Fills a photo and its labels up to a side, the labels with a given value."""
SIDE = 129
BANDS = ((0, 6), (6, 12), (12, 24), (24, 48), (48, 97))
"""Distances from the photo's border, in pixels."""


def resized(image: Tensor, labels: Tensor, size: tuple[int, int]) -> Pair:
    """Return both at another size: colours averaged, labels picked."""
    image = F.interpolate(image[None], size, mode="bilinear", antialias=True)[0]
    labels = F.interpolate(labels[None, None].float(), size, mode="nearest-exact")
    return image, labels[0, 0].long()


def batches(photos: Sequence[Pair], pad: Pad, label: int, updates: int) -> Iterator[Pair]:
    """Yield batches of 8 photos, made small and filled up to SIDE × SIDE.

    Args:
        photos: to draw from.
        pad: fills up.
        label: what the labels are filled with.
        updates: how many batches.
    """
    generator = torch.Generator().manual_seed(0)
    for _ in range(updates):
        chosen = torch.randint(len(photos), (8,), generator=generator).tolist()
        factors = (0.35 + 0.4 * torch.rand(8, generator=generator)).tolist()
        crops = []
        for i, factor in zip(chosen, factors, strict=True):
            image, labels = photos[i]
            height, width = (round(factor * side) for side in labels.shape)
            image, labels = resized(image, labels, (height, width))
            crops.append(pad(image[:, :SIDE, :SIDE], labels[:SIDE, :SIDE], SIDE, label))
        images, labels_of = zip(*crops, strict=True)
        yield torch.stack(images), torch.stack(labels_of)


def train(
    config: DeepLabV3Config, start: Path, photos: Sequence[Pair], pad: Pad, label: int, updates: int = 60
) -> tuple[DeepLabV3, float]:
    """Train a network on padded crops.

    Args:
        config: the model's.
        start: the file of weights to start from.
        photos: to learn from.
        pad: fills crops up.
        label: what the labels are filled with.
        updates: how many.

    Returns:
        The network in evaluation mode, and the share of background among the labels that it was trained on.
    """
    torch.manual_seed(0)
    network = DeepLabV3(config)
    load_initial(network, str(start))
    network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    shares = []
    for i, (images, labels) in enumerate(batches(photos, pad, label, updates)):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - i / updates) ** 0.9
        loss = F.cross_entropy(network(images), labels, ignore_index=255)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shares.append(((labels == 0).sum() / (labels != 255).sum()).item())
    return network.eval(), float(np.mean(shares))


def lost(network: nn.Module, photos: Sequence[Pair]) -> list[float]:
    """Return the percentage of the shapes' pixels that are called background, in each of BANDS."""
    missed, shapes = np.zeros(len(BANDS)), np.zeros(len(BANDS))
    for image, labels in photos:
        height, width = labels.shape
        rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
        away = torch.minimum(
            torch.minimum(rows, height - 1 - rows), torch.minimum(columns, width - 1 - columns)
        )
        with torch.inference_mode():
            background = network(image[None]).argmax(1)[0] == 0
        for place, (low, high) in enumerate(BANDS):
            band = (labels > 0) & (labels < 255) & (low <= away) & (away < high)
            missed[place] += (band & background).sum().item()
            shapes[place] += band.sum().item()
    return [100 * float(share) for share in missed / shapes]


def lost_figure(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Return the losses of two networks in each band as pairs of bars."""
    figure, axis = plt.subplots(figsize=(7, 3.3))
    places = np.arange(len(BANDS))
    looks = ((-0.2, BLUE, ""), (0.2, ORANGE, "//"))
    for (name, values), (offset, colour, hatch) in zip(losses.items(), looks, strict=True):
        axis.bar(places + offset, values, 0.38, color=colour, hatch=hatch, label=name)
    axis.set_xticks(places, [f"{low} to {high - 1}" for low, high in BANDS])
    axis.set_title("Shapes' pixels that are called background, whole val photos")
    axis.set(ylabel="%", xlabel="distance from the photo's border, in pixels")
    axis.legend()
    return figure
