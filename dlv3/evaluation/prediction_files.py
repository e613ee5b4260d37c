"""The files of a prediction: a coloured mask, an overlay and the class indices, as PNG."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dlv3.data.errors import DataError
from dlv3.data.palette import overlay, save_palette_png
from dlv3.evaluation.pictures import Picture


def require_separate(pictures: Sequence[Picture], out: Path) -> None:
    """Check that no result replaces a picture that it, or another result, is made from.

    Raises:
        DataError: one would; says which.
    """
    originals = {os.path.abspath(picture.path) for picture in pictures}
    for picture in pictures:
        for path in _results(out / picture.name):
            if os.path.abspath(path) in originals:
                raise DataError(
                    f"--out {out}: a result would overwrite the picture {path}; give another folder"
                )


def make_folder(folder: Path) -> None:
    """Make a folder for results, and those above it.

    Raises:
        OSError: it cannot be made; says why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(f"--out {folder}: cannot be made: {error.strerror}; give another folder") from error


def write_prediction(
    image: Tensor, labels: Tensor, palette: NDArray[np.uint8], alpha: float, stem: Path
) -> None:
    """Write STEM_mask.png, STEM_overlay.png and STEM_index.png.

    Args:
        image: (3, H, W) uint8.
        labels: (H, W) uint8, the class of each pixel.
        palette: (num_classes, 3), the classes' colours.
        alpha: the colours' share in the overlay, from 0 to 1.
        stem: the results' common path; its folder is made.

    Raises:
        OSError: a file cannot be written; says which and why.
    """
    mask, overlaid, index = _results(stem)
    make_folder(stem.parent)
    try:
        save_palette_png(labels, palette, mask)
        # Light compression: a photo hardly shrinks with more, and it takes five times as long.
        Image.fromarray(overlay(image, labels, palette, alpha)).save(overlaid, compress_level=1)
        Image.fromarray(labels.numpy()).save(index)
    except OSError as error:
        raise OSError(
            f"{stem}_*.png: cannot be written: {error.strerror or error}; give another --out"
        ) from error


def _results(stem: Path) -> list[Path]:
    return [stem.with_name(f"{stem.name}_{kind}.png") for kind in ("mask", "overlay", "index")]
