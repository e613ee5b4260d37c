"""The files of a prediction: a coloured mask, an overlay and the class indices, as PNG."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dlv3.data.errors import DataError
from dlv3.data.palette import overlay, save_palette_png
from dlv3.evaluation.pictures import Picture
from dlv3.files import identity, require_writable, write_with

Probabilities = Literal["none", "png", "npz"]
_MORE: dict[Probabilities, list[str]] = {"none": [], "png": ["confidence.png"], "npz": ["probabilities.npz"]}


def require_separate(pictures: Sequence[Picture], out: Path, probabilities: Probabilities = "none") -> None:
    """Check that no result replaces a picture that it, or another result, is made from, under any name or link.

    Raises:
        DataError: one would; says which.
    """
    originals = {identity(picture.path) for picture in pictures} - {None}
    for picture in pictures:
        for path in _results(out / picture.name, probabilities):
            if identity(path) in originals:
                raise DataError(
                    f"--out {out}: a result would overwrite the picture {path}; give another folder"
                )


def require_folder(folder: Path) -> None:
    """Check before the work that results can be written into a folder, which is made with the first of them.

    Raises:
        OSError: it cannot be made or written to; says why.
    """
    with _named(folder):
        require_writable(folder)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "written to" if folder.is_dir() else "made"
        raise OSError(f"--out {folder}: cannot be {what}: {error.strerror}; give another folder") from error


def write_prediction(
    image: Tensor, labels: Tensor, palette: NDArray[np.uint8], alpha: float, stem: Path
) -> None:
    """Write STEM_mask.png, STEM_overlay.png and STEM_index.png.

    Args:
        image: (C, H, W) uint8; `dlv3.data.palette.as_rgb` says what is shown of channels other than RGB.
        labels: (H, W) uint8, the class of each pixel.
        palette: (num_classes, 3), the classes' colours.
        alpha: the colours' share in the overlay, from 0 to 1.
        stem: the results' common path; its folder is made.

    Raises:
        OSError: a file cannot be written; says which and why.
    """
    mask, overlaid, index = _results(stem)
    with _named(stem.parent):
        stem.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_palette_png(labels, palette, mask)
        # Light compression: a photo hardly shrinks with more, and it takes five times as long.
        blended = Image.fromarray(overlay(image, labels, palette, alpha))
        write_with(overlaid, partial(blended.save, format="PNG", compress_level=1))
        write_with(index, partial(Image.fromarray(labels.numpy()).save, format="PNG"))
    except OSError as error:
        raise _with_advice(error) from error


def write_scores(scores: Tensor, stem: Path) -> None:
    """Write STEM_confidence.png or STEM_probabilities.npz.

    Args:
        scores: (H, W) float32, the probability of the predicted class; or (num_classes, H, W) float16, of all.
        stem: as in `write_prediction`.

    Raises:
        OSError: the file cannot be written; says which and why.
    """
    if scores.ndim == 2:
        path = stem.with_name(f"{stem.name}_confidence.png")
        levels = (scores.double() * 65535).round().clamp(0, 65535).numpy().astype(np.uint16)
        save: Callable[[BinaryIO], object] = partial(Image.fromarray(levels).save, format="PNG")
    else:
        path = stem.with_name(f"{stem.name}_probabilities.npz")
        save = partial(np.savez_compressed, probabilities=scores.numpy())
    try:
        write_with(path, save)
    except OSError as error:
        raise _with_advice(error) from error


def _with_advice(error: OSError) -> OSError:
    return OSError(f"{error.filename}: cannot be written: {error.strerror or error}; give another --out")


def _results(stem: Path, probabilities: Probabilities = "none") -> list[Path]:
    kinds = ["mask.png", "overlay.png", "index.png", *_MORE[probabilities]]
    return [stem.with_name(f"{stem.name}_{kind}") for kind in kinds]
