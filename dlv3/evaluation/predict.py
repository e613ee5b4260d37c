"""Predict photos and write their class maps to disk."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from dlv3.config.evaluation import EvaluationConfig
from dlv3.data.errors import DataError
from dlv3.data.photos.images import read_image
from dlv3.data.transforms import EvalTransform
from dlv3.evaluation.inference import NotFiniteError, predict_labels, predict_probabilities, resize_images
from dlv3.evaluation.labels import labels_at_size, upsample
from dlv3.evaluation.modes import as_configured, autocast, device_of
from dlv3.evaluation.pictures import Picture, find_pictures
from dlv3.evaluation.prediction_files import (
    Probabilities,
    require_folder,
    require_separate,
    write_prediction,
    write_scores,
)
from dlv3.evaluation.tiles import tiles
from dlv3.fields import require, require_choice

# Pixels. A ResNet-50 then predicts a photo of 4000×3000 in 2 GB, torch included.
MAX_SIDE = 2048
# Pixels. With smaller tiles the network would run once for every few pixels.
MIN_TILE = 32


@dataclass(frozen=True)
class Predictions:
    """The pictures that were predicted, and the failures."""

    written: tuple[Picture, ...]
    failed: tuple[str, ...]
    """A line for each picture that could not be read or was too large, and each input without pictures."""


def predict_files(
    model: nn.Module,
    inputs: Sequence[str],
    out: str | os.PathLike[str],
    config: EvaluationConfig | None = None,
    *,
    palette: NDArray[np.uint8],
    max_side: int | None = MAX_SIDE,
    alpha: float = 0.6,
    channels: int | None = None,
    image_bits: int = 16,
    tiled: bool = False,
    probabilities: Probabilities = "none",
    device: torch.device | str | None = None,
    progress: bool = True,
    on_failure: Callable[[str], None] | None = None,
) -> Predictions:
    """Predict pictures and write NAME_mask.png, NAME_overlay.png and NAME_index.png for each.

    The mask is a palette PNG: its pixels are the class indices, and it shows in colours. The index PNG has the same
    values in plain grey. Both are as large as the picture. A picture that cannot be read is left out and named.

    Args:
        model: gives logits for at most 256 classes.
        inputs: files, folders and patterns, see `find_pictures`, which also says how the results are named.
        out: the folder to write to, which is made.
        config: how to look at each picture; its batch size is not used.
        palette: (num_classes, 3) uint8, the classes' colours.
        max_side: a picture with a longer side, in pixels, is made smaller for the model, and its probabilities are
            upsampled back; None never does it.
        alpha: the colours' share in the overlay, from 0 to 1.
        channels: of the pictures, see `dlv3.data.read_image`; when left out, those of the model's `config`, or 3.
        image_bits: that the values of 16-bit grey pictures use, as in training.
        tiled: a picture with a side longer than max_side is predicted at its full size instead, in overlapping tiles
            of max_side pixels, see `dlv3.evaluation.tiles`.
        probabilities: "png" writes NAME_confidence.png too, 16 bits: 65535 times the predicted class's probability;
            "npz" NAME_probabilities.npz, whose `probabilities` are (num_classes, H, W) float16.
        device: where to compute; the model must be there. The device of its parameters when left out.
        progress: whether to show a bar, where there is a terminal to show it on.
        on_failure: called with each line about a failure as it happens.

    Raises:
        DataError: there is no picture at all, or a result would overwrite one.
        ValueError: max_side or alpha is out of range, or the model cannot have the output stride.
        OSError: a result cannot be written; says which and why.
    """
    config, out, device = config or EvaluationConfig(), Path(out), device_of(model, device)
    require(
        "max_side", max_side, max_side is None or max_side >= 2, "at least 2 pixels, or None for no limit"
    )
    large_enough = not tiled or (max_side is not None and max_side >= MIN_TILE)
    require("max_side", max_side, large_enough, f"the side of a tile, at least {MIN_TILE} pixels")
    require_choice("probabilities", probabilities, get_args(Probabilities))
    if channels is None:
        channels = getattr(getattr(model, "config", None), "in_channels", 3)
    require("alpha", alpha, 0 <= alpha <= 1, "the colours' share, from 0 to 1")
    pictures, failed = find_pictures(inputs, out)
    if not pictures:
        raise DataError("; ".join(failed) or "no pictures: give files, folders or patterns")
    require_separate(pictures, out, probabilities)
    require_folder(out)
    say = on_failure or (lambda line: None)
    for line in failed:
        say(line)
    written: list[Picture] = []
    with as_configured(model, config) as runner:
        for picture in tqdm(pictures, desc="predict", unit="picture", disable=None if progress else True):
            try:
                image = read_image(picture.path, channels, image_bits)  # (channels, H, W) uint8
                found = predict_picture(
                    runner,
                    image,
                    config,
                    device=device,
                    max_side=max_side,
                    tiled=tiled,
                    probabilities=probabilities,
                )
            except NotFiniteError as error:
                raise NotFiniteError(f"{picture.path}: {error}") from error
            except (DataError, MemoryError, RuntimeError) as error:
                failed.append(_failure(picture, error))
                say(failed[-1])
                continue
            stem = out / picture.name
            write_prediction(image, found.labels, palette, alpha, stem)
            if found.scores is not None:
                write_scores(found.scores, stem)
            written.append(picture)
    return Predictions(tuple(written), tuple(failed))


@dataclass(frozen=True)
class Prediction:
    """The prediction of one picture, on the CPU."""

    labels: Tensor
    """(H, W) uint8, the class of each pixel."""
    scores: Tensor | None = None
    """For "png" (H, W) float32, the probability of that class; for "npz" (num_classes, H, W) float16, of all."""


def predict_picture(
    model: nn.Module,
    image: Tensor,
    config: EvaluationConfig,
    *,
    device: torch.device,
    max_side: int | None = None,
    tiled: bool = False,
    probabilities: Probabilities = "none",
) -> Prediction:
    """Predict the class of each pixel of one picture, (C, H, W) uint8; arguments as in `predict_files`."""
    image = image.as_subclass(Tensor)
    size = (image.shape[1], image.shape[2])
    if not tiled or max_side is None or max(size) <= max_side:
        return _predict(model, image, config, device, bounded_size(size, max_side), probabilities)
    labels, scores = torch.empty(size, dtype=torch.uint8), None
    for rows, columns in tiles(size, max_side):
        tile = image[:, rows.shown, columns.shown]
        part = _predict(model, tile, config, device, (tile.shape[1], tile.shape[2]), probabilities)
        labels[rows.kept, columns.kept] = part.labels[rows.inside, columns.inside]
        if part.scores is not None:
            if scores is None:
                scores = part.scores.new_empty(*part.scores.shape[:-2], *size)
            scores[..., rows.kept, columns.kept] = part.scores[..., rows.inside, columns.inside]
    return Prediction(labels, scores)


def _predict(
    model: nn.Module,
    image: Tensor,
    config: EvaluationConfig,
    device: torch.device,
    bounded: tuple[int, int],
    wanted: Probabilities,
) -> Prediction:
    """Predict a picture, resized to `bounded` for the model."""
    size = (image.shape[1], image.shape[2])
    # As bytes: a large photo in float32 would be four times its size before it is made small.
    image = resize_images(image[None], bounded)[0]
    pixels, _ = EvalTransform()(image, None)  # (C, h, w) float32
    pixels = pixels[None].to(device, memory_format=torch.channels_last)  # (1, C, h, w)
    scores = None
    with autocast(model, config.precision, device):
        if bounded == size and wanted == "none":
            labels = predict_labels(model, pixels, config.scales, config.flip)
        else:
            probabilities = predict_probabilities(model, pixels, config.scales, config.flip)  # (1, C, h, w)
            labels = labels_at_size(probabilities, size)
            scores = _scores(probabilities, size, wanted)
    return Prediction(labels[0].to(torch.uint8).cpu(), scores)


def _scores(probabilities: Tensor, size: tuple[int, int], wanted: Probabilities) -> Tensor | None:
    """Upsample probabilities, (1, C, h, w), class by class: to (H, W) float32 of the largest, or (C, H, W) float16."""
    classes = (upsample(probabilities[:, i : i + 1], size)[0, 0] for i in range(probabilities.shape[1]))
    if wanted == "png":
        return reduce(torch.maximum, classes).cpu()
    return torch.stack([each.half().cpu() for each in classes]) if wanted == "npz" else None


def bounded_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """Shrink a size in proportion so that no side is longer than max_side pixels."""
    if max_side is None or max(size) <= max_side:
        return size
    height, width = (max(1, round(side * max_side / max(size))) for side in size)
    return height, width


def _failure(picture: Picture, error: Exception) -> str:
    """Say in one line why a picture was left out; an error that the picture did not cause is raised again."""
    if isinstance(error, DataError):
        return str(error)
    # Out of memory is a MemoryError in Python, and a RuntimeError in torch, whose CPU allocator only says so.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return f"{picture.path}: too large for the memory; give a smaller --max-side"
    raise error
