"""The reach of a model's units, and the score of reach alone on `heads` and `outline` (sections 3.1 to 3.3).

On heads a body's class is the colour of its head. A unit whose field of view holds the head can name the body; any
other one can only guess. On outline a unit is taken to name an object whose whole extent it sees, and to guess the
others. This is a yardstick and not a bound, since many parts of an outline tell classes apart.

The score of a network that names what it can see and guesses the rest follows from the pictures and the model's rates,
before any training. Real networks score above it where they learn to carry an answer along the object from unit to unit
or do with a part of what they would have to see, and below it where they do not learn all that they could see.
"""

from functools import cache

import torch
from torch import Tensor

from dlv3.data.made.heads import Heads
from dlv3.data.made.outline import Outline
from dlv3.data.made.textures import UNIT
from dlv3.deeplab import DeepLabV3Config
from dlv3.receptive_field import layers_of, receptive_field
from dlv3.resnet import BACKBONES, ResNet


def reach(model: DeepLabV3Config) -> int | None:
    """Return the pixels that a unit of the last map sees to each side of its centre; None is the whole picture.

    The backbone's field of view, and the largest of ASPP's rates where there are any; image pooling sees everything.
    """
    if model.aspp_rates and model.image_pooling:
        return None
    backbone = ResNet(
        BACKBONES[model.backbone],
        output_stride=model.output_stride,
        multi_grid=model.multi_grid,
        blocks=model.blocks,
        first_unit=model.first_unit,
        cascade_rate=model.cascade_rate,
    )
    aspp = max(model.aspp_rates_at(model.output_stride), default=0) * model.output_stride
    return (receptive_field(layers_of(backbone)).size - 1) // 2 + aspp


def score_by_reach(seen: float, num_classes: int, ground: float = 1.0) -> float:
    """Return the mIOU, from 0 to 1, of naming a share of the objects' pixels and guessing the others evenly.

    Args:
        seen: the share of the objects' pixels whose class can be seen.
        num_classes: without the ground.
        ground: the ground's IOU.
    """
    right = seen + (1 - seen) / num_classes
    # By symmetry a class gains as many wrong pixels as it loses, so the union is 1 + wrong.
    iou = right / (2 - right)
    return (ground + num_classes * iou) / (num_classes + 1)


def heads_score(model: DeepLabV3Config, split: str = "test", pictures: int | None = None) -> float:
    """Return the mIOU that reach alone gives on a split of `heads`, from 0 to 1: see `score_by_reach`."""
    return score_by_reach(_seen(model, _heads_distances(split, pictures)), len(Heads.classes) - 1)


def outline_score(model: DeepLabV3Config, split: str = "test", pictures: int | None = None) -> float:
    """Return the mIOU that reach alone gives on a split of `outline`, from 0 to 1: see `score_by_reach`."""
    return score_by_reach(_seen(model, _outline_distances(split, pictures)), len(Outline.classes) - 1)


def head_distances(dataset: Heads) -> Tensor:
    """Return the distance from each body pixel to its head's centre, in pixels along the longer axis: (n,).

    A field of view is a square, so the larger one of the two offsets decides whether it holds the head.
    """
    found = []
    for index in range(len(dataset)):
        things = dataset.layout(index).objects
        for body, head in zip(things[::3], things[2::3], strict=True):
            rows, columns = torch.from_numpy(body.placed.covered()).nonzero().unbind(1)
            away_x = (columns + 0.5 - head.placed.x / UNIT).abs()
            away_y = (rows + 0.5 - head.placed.y / UNIT).abs()
            found.append(torch.maximum(away_x, away_y))
    return torch.cat(found)


def far_distances(dataset: Outline) -> Tensor:
    """Return the distance from each object pixel to the furthest row or column of its object, in pixels: (n,).

    A field of view that reaches so far to each side holds the object's whole extent in the picture.
    """
    found = []
    for index in range(len(dataset)):
        for thing in dataset.layout(index).objects:
            places = torch.from_numpy(thing.placed.covered()).nonzero()  # (n, 2)
            away = torch.maximum(places - places.amin(0), places.amax(0) - places)  # (n, 2)
            found.append(away.amax(1))
    return torch.cat(found)


@cache
def _heads_distances(split: str, pictures: int | None) -> Tensor:
    return head_distances(Heads(split, pictures=pictures))


@cache
def _outline_distances(split: str, pictures: int | None) -> Tensor:
    return far_distances(Outline(split, pictures=pictures))


def _seen(model: DeepLabV3Config, distances: Tensor) -> float:
    """Return the share of the distances that the model's units reach."""
    limit = reach(model)
    return 1.0 if limit is None else float((distances <= limit).double().mean())
