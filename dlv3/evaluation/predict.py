"""From photos to class maps on disk: coloured masks, overlays and the class indices themselves."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from dlv3.config.evaluation import EvaluationConfig
from dlv3.data.errors import DataError
from dlv3.data.palette import overlay, save_palette_png
from dlv3.data.photos.images import read_image
from dlv3.data.transforms import EvalTransform
from dlv3.evaluation.inference import (
    at_output_stride,
    computing_in,
    labels_at_size,
    made_ready,
    predict_labels,
    predict_probabilities,
    resize_images,
)
from dlv3.evaluation.pictures import Picture, find_pictures

MAX_SIDE = 2048  # pixels; a ResNet-50 then predicts a photo of 4000×3000 in 2 GB, torch and all


@dataclass(frozen=True)
class Predictions:
    """What became of the pictures."""

    written: tuple[Picture, ...]
    failed: tuple[str, ...]
    """A line for each picture that could not be read or was too large, and each input without pictures."""


def predict_files(
    model: nn.Module,
    inputs: Sequence[str],
    out: str | os.PathLike,
    config: EvaluationConfig | None = None,
    *,
    palette: np.ndarray,
    max_side: int | None = MAX_SIDE,
    alpha: float = 0.6,
    device: torch.device | str | None = None,
    progress: bool = True,
    on_failure: Callable[[str], None] | None = None,
) -> Predictions:
    """Predict pictures and write NAME_mask.png, NAME_overlay.png and NAME_index.png for each.

    The mask is a palette PNG: its pixels are the class indices, and it shows in colours. The index PNG has the same
    values in plain grey. Both are as large as the picture. A picture that cannot be read is left out and named.

    Args:
        model: gives logits for at most 256 classes.
        inputs: files, folders and patterns, see `find_pictures`, which also says what the results are called.
        out: the folder to write to, which is made.
        config: how to look at each picture; its batch size is not used.
        palette: (num_classes, 3) uint8, the classes' colours.
        max_side: a picture with a longer side, in pixels, is made smaller for the model, and its probabilities are
            upsampled back; None never does it.
        alpha: the colours' share in the overlay, from 0 to 1.
        device: where to compute; the model must be there. The device of its parameters when left out.
        progress: whether to show a bar, where there is a terminal to show it on.
        on_failure: called with each line about a failure as it happens.

    Raises:
        DataError: there is no picture at all, or a result would overwrite one.
        ValueError: a bad max_side or alpha, or an output stride that the model cannot have.
        OSError: a result cannot be written; says which and why.
    """
    config, out = config or EvaluationConfig(), Path(out)
    device = torch.device(device) if device is not None else next(model.parameters()).device
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side={max_side!r}: expected at least 1 pixel, or None for no limit")
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha!r}: expected the colours' share, from 0 to 1")
    pictures, failed = find_pictures(inputs, out)
    if not pictures:
        raise DataError("; ".join(failed) or "no pictures: give files, folders or patterns")
    _require_separate(pictures, out)
    _make_folder(out)
    say = on_failure or (lambda line: None)
    for line in failed:
        say(line)
    written: list[Picture] = []
    model = made_ready(model, config.precision)
    with at_output_stride(model, config.output_stride):
        for picture in tqdm(pictures, desc="predict", unit="picture", disable=None if progress else True):
            try:
                image = read_image(picture.path)  # (3, H, W) uint8
                labels = predict_picture(model, image, config, device=device, max_side=max_side)
            except (DataError, MemoryError, RuntimeError) as error:
                failed.append(_failure(picture, error))
                say(failed[-1])
                continue
            _write(image, labels, palette, alpha, out / picture.name)
            written.append(picture)
    return Predictions(tuple(written), tuple(failed))


def predict_picture(
    model: nn.Module,
    image: Tensor,
    config: EvaluationConfig,
    *,
    device: torch.device,
    max_side: int | None = None,
) -> Tensor:
    """The class of each pixel of one picture: (3, H, W) uint8 to (H, W) uint8, on the CPU."""
    size = (image.shape[1], image.shape[2])
    bounded = bounded_size(size, max_side)
    # As bytes: a large photo in float32 would be four times its size before it is made small.
    image = resize_images(image.as_subclass(Tensor)[None], bounded)[0]
    pixels, _ = EvalTransform()(image, None)  # (3, h, w) float32
    pixels = pixels[None].to(device, memory_format=torch.channels_last)  # (1, 3, h, w)
    with computing_in(model, config.precision, device):
        if bounded == size:
            labels = predict_labels(model, pixels, config.scales, config.flip)
        else:
            probabilities = predict_probabilities(model, pixels, config.scales, config.flip)  # (1, C, h, w)
            labels = labels_at_size(probabilities, size)
    return labels[0].to(torch.uint8).cpu()


def bounded_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """The size, shrunk in proportion so that no side is longer than max_side pixels."""
    if max_side is None or max(size) <= max_side:
        return size
    height, width = (max(1, round(side * max_side / max(size))) for side in size)
    return height, width


def _failure(picture: Picture, error: Exception) -> str:
    """One line about a picture that was left out; an error that is not the picture's is raised again."""
    if isinstance(error, DataError):
        return str(error)
    # Out of memory is a MemoryError in Python, and a RuntimeError in torch, whose CPU allocator only says so.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return f"{picture.path}: too large for the memory at hand; give a smaller --max-side"
    raise error


def _require_separate(pictures: Sequence[Picture], out: Path) -> None:
    """A result must not take the place of a picture that it, or another result, is made from."""
    originals = {os.path.abspath(picture.path) for picture in pictures}
    for picture in pictures:
        for path in _results(out / picture.name):
            if os.path.abspath(path) in originals:
                raise DataError(
                    f"--out {out}: a result would overwrite the picture {path}; give another folder"
                )


def _results(stem: Path) -> list[Path]:
    return [stem.with_name(f"{stem.name}_{kind}.png") for kind in ("mask", "overlay", "index")]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"--out {folder}: cannot be made: {error.strerror}; give another folder") from error


def _write(image: Tensor, labels: Tensor, palette: np.ndarray, alpha: float, stem: Path) -> None:
    mask, laid_over, index = _results(stem)
    _make_folder(stem.parent)
    try:
        save_palette_png(labels, palette, mask)
        # Light compression: a photo hardly shrinks with more, and it takes five times as long.
        Image.fromarray(overlay(image, labels, palette, alpha)).save(laid_over, compress_level=1)
        Image.fromarray(labels.numpy()).save(index)
    except OSError as error:
        raise OSError(
            f"{stem}_*.png: cannot be written: {error.strerror or error}; give another --out"
        ) from error
