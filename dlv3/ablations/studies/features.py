"""The feature maps that the studies' heads read: those of the pretrained small backbone, computed once and frozen.

With frozen features every row reads the same maps, and no backbone can learn to make up for what a head does not see.
A row then takes seconds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from dlv3.data import Split
from dlv3.data.made.scenes import Layout, Scenes
from dlv3.data.made.shapes import Canvas
from dlv3.data.made.textures import UNIT
from dlv3.data.palette import IGNORE_INDEX
from dlv3.data.transforms import IMAGENET_MEAN, IMAGENET_STD
from dlv3.receptive_field import layers_of, receptive_field
from dlv3.resnet import BACKBONES, ResNet
from dlv3.training.start import pretrained_backbone

BACKBONE = "resnet14"
SIZE_GROUPS = ("small", "medium", "large")
SIZE_BOUNDS = (10 * UNIT, 20 * UNIT)
"""Shapes of radius 5 to 10, 10 to 20 and 20 to 40 px of 129: a third of all shapes each."""


@dataclass(frozen=True)
class Features:
    """A split of the scenes, as seen by a frozen backbone."""

    maps: Tensor
    """(N, h, w, C) float16."""
    pooled: Tensor
    """(N, C) float32: each map's mean."""
    masks: Tensor
    """(N, H, H) uint8: labels."""
    sizes: Tensor
    """(N, H, H) uint8: 0, 1 or 2 on small, medium and large shapes, 255 on everything else."""
    classes: tuple[str, ...]
    groups: dict[str, tuple[int, ...]]
    """Classes that are scored together, as in `Scenes`."""


# Enough for a table: four depths with the cue or without, 70 to 140 MB each to train on.
@lru_cache(maxsize=12)
def features(
    blocks: int, output_stride: int, scene_cue: bool, size: int, split: Split, pictures: int | None
) -> Features:
    """Return the features of a split, drawn and computed once in a process.

    Args:
        blocks: how many of the backbone's blocks, 1 to 4.
        output_stride: of the backbone, 4 to 32.
        scene_cue: whether there are two classes of disc, see `Scenes`.
        size: side H of the pictures.
        split: "train", "val" or "test".
        pictures: how many; the whole split when left out.
    """
    images, masks, sizes, dataset = pictures_of(scene_cue, size, split, pictures)
    backbone = cut_backbone(blocks, output_stride)
    maps = torch.stack([_feature_map(backbone, image) for image in images])
    pooled = torch.stack([each.float().mean((0, 1)) for each in maps])
    return Features(maps, pooled, masks, sizes, tuple(dataset.classes), dict(dataset.groups))


# Enough for the training pictures and the scored ones, for any depth of the backbone.
@lru_cache(maxsize=2)
def pictures_of(
    scene_cue: bool, size: int, split: Split, pictures: int | None
) -> tuple[Tensor, Tensor, Tensor, Scenes]:
    """Return images (N, 3, H, H), labels and the shapes' sizes (N, H, H), all uint8, and the data set."""
    dataset = Scenes(split, size=size, scene_cue=scene_cue, pictures=pictures)
    pairs = [dataset[index] for index in range(len(dataset))]
    sizes = [shape_sizes(dataset.layout(index), mask.numpy()) for index, (_, mask) in enumerate(pairs)]
    images, masks = (
        torch.stack([each.as_subclass(Tensor) for each in part]) for part in zip(*pairs, strict=True)
    )
    return images, masks, torch.from_numpy(np.stack(sizes)), dataset


def cut_backbone(blocks: int, output_stride: int) -> nn.Sequential:
    """Return the pretrained small backbone up to one of its blocks, frozen.

    Strides and rates are those of all four blocks: at the same output stride, a shorter backbone gives an inner map
    of a longer one.
    """
    backbone = ResNet(BACKBONES[BACKBONE], output_stride=output_stride)
    weights = pretrained_backbone("scenes", BACKBONE)
    backbone.load_state_dict({name: weights[name] for name in backbone.state_dict()})
    stem = (backbone.conv1, backbone.bn1, backbone.relu, backbone.pool)
    cut = nn.Sequential(*stem, *(backbone.block(number) for number in range(1, blocks + 1)))
    return cut.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def field_of_view(blocks: int, output_stride: int, rate: int = 0) -> int:
    """Return how many pixels along an axis one position sees, through the backbone and a 3×3 layer.

    Args:
        blocks: how many of the backbone's blocks.
        output_stride: of the backbone.
        rate: of the 3×3 layer; 0 for the backbone alone.
    """
    units = BACKBONES[BACKBONE].units
    # The stem has two convolutions, and so has each unit.
    convolutions = 2 + 2 * sum(units[:blocks])
    layers = layers_of(ResNet(BACKBONES[BACKBONE], output_stride=output_stride))[:convolutions]
    field = receptive_field(layers)
    return field.size + 2 * rate * field.jump


def shape_sizes(layout: Layout, labels: np.ndarray) -> np.ndarray:
    """Return the size group of the shape that covers each pixel.

    Args:
        layout: of a picture.
        labels: (H, H), the picture's. The strip, drawn over the shapes, is background there.

    Returns:
        (H, H) uint8 indices into `SIZE_GROUPS`; 255 where there is no shape.
    """
    canvas = Canvas(len(labels), label=IGNORE_INDEX)
    for shape in layout.shapes:
        shape.draw(canvas, int(np.searchsorted(SIZE_BOUNDS, shape.radius, side="right")))
    return np.where(labels == 0, IGNORE_INDEX, canvas.labels).astype(np.uint8)


@torch.inference_mode()
def _feature_map(backbone: nn.Module, image: Tensor) -> Tensor:
    """Return the feature map (h, w, C), float16, of an image (3, H, H), uint8."""
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    batch = ((image.float() / 255 - mean) / std)[None].contiguous(memory_format=torch.channels_last)
    features: Tensor = backbone(batch)  # (1, C, h, w)
    return features[0].permute(1, 2, 0).half()
