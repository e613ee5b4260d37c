"""What the studies on the scenes read: feature maps of the pretrained small backbone, computed once and frozen.

Frozen features are what makes the studies' rows comparable to the last bit: every row reads the same maps, and no
backbone can learn to make up for what a head does not see. They also make a row cost seconds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

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
    """A split of the scenes, as a frozen backbone sees it."""

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


@lru_cache(maxsize=12)  # a table's: four depths with the cue or without, 70 to 140 MB each to train on
def features(
    blocks: int, output_stride: int, scene_cue: bool, size: int, split: str, pictures: int | None
) -> Features:
    """The features of a split, drawn and computed once a process.

    Args:
        blocks: how many of the backbone's blocks, 1 to 4.
        output_stride: of the backbone, 4 to 32.
        scene_cue: whether discs are told apart, see `Scenes`.
        size: side H of the pictures.
        split: "train", "val" or "test".
        pictures: how many; the whole split when left out.
    """
    images, masks, sizes, dataset = pictures_of(scene_cue, size, split, pictures)
    backbone = cut_backbone(blocks, output_stride)
    maps = torch.stack([_feature_map(backbone, image) for image in images])
    pooled = torch.stack([each.float().mean((0, 1)) for each in maps])
    return Features(maps, pooled, masks, sizes, tuple(dataset.classes), dict(dataset.groups))


@lru_cache(maxsize=2)  # what is trained on and what is scored, for any depth of the backbone
def pictures_of(
    scene_cue: bool, size: int, split: str, pictures: int | None
) -> tuple[Tensor, Tensor, Tensor, Scenes]:
    """Images (N, 3, H, H), labels and the shapes' sizes, both (N, H, H), all uint8; and the data set."""
    dataset = Scenes(split, size=size, scene_cue=scene_cue, pictures=pictures)
    pairs = [dataset[index] for index in range(len(dataset))]
    sizes = [shape_sizes(dataset.layout(index), mask.numpy()) for index, (_, mask) in enumerate(pairs)]
    images, masks = (
        torch.stack([each.as_subclass(Tensor) for each in part]) for part in zip(*pairs, strict=True)
    )
    return images, masks, torch.from_numpy(np.stack(sizes)), dataset


def cut_backbone(blocks: int, output_stride: int) -> nn.Sequential:
    """The pretrained small backbone up to one of its blocks, frozen.

    It keeps all four blocks' strides and rates: a shorter one at the same output stride gives the longer one's
    inner map.
    """
    backbone = ResNet(BACKBONES[BACKBONE], output_stride=output_stride)
    weights = pretrained_backbone("scenes", BACKBONE)
    backbone.load_state_dict({name: weights[name] for name in backbone.state_dict()})
    stem = (backbone.conv1, backbone.bn1, backbone.relu, backbone.pool)
    cut = nn.Sequential(*stem, *(backbone.block(number) for number in range(1, blocks + 1)))
    return cut.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def field_of_view(blocks: int, output_stride: int, rate: int = 0) -> int:
    """Pixels along an axis that one position sees: through the backbone, then a 3×3 layer of a rate (0 is none)."""
    units = BACKBONES[BACKBONE].units
    convolutions = 2 + 2 * sum(units[:blocks])  # two in the stem, two in each unit
    layers = layers_of(ResNet(BACKBONES[BACKBONE], output_stride=output_stride))[:convolutions]
    field = receptive_field(layers)
    return field.size + 2 * rate * field.jump


def shape_sizes(layout: Layout, labels: np.ndarray) -> np.ndarray:
    """For each pixel the group of the shape on top of it.

    Args:
        layout: of a picture.
        labels: (H, H) the picture's; the strip, drawn over the shapes, is background there.

    Returns:
        (H, H) uint8 indices into SIZE_GROUPS; 255 where there is no shape.
    """
    canvas = Canvas(len(labels), label=IGNORE_INDEX)
    for shape in layout.shapes:
        shape.draw(canvas, int(np.searchsorted(SIZE_BOUNDS, shape.radius, side="right")))
    return np.where(labels == 0, IGNORE_INDEX, canvas.labels).astype(np.uint8)


@torch.inference_mode()
def _feature_map(backbone: nn.Module, image: Tensor) -> Tensor:
    """(3, H, H) uint8 to (h, w, C) float16."""
    mean, std = torch.tensor(IMAGENET_MEAN).view(3, 1, 1), torch.tensor(IMAGENET_STD).view(3, 1, 1)
    batch = ((image.float() / 255 - mean) / std)[None].contiguous(memory_format=torch.channels_last)
    return backbone(batch)[0].permute(1, 2, 0).half()
