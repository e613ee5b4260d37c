"""Colours of class indices: palettes, coloured masks, palette PNGs and overlays."""

from functools import partial
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dlv3.files import write_with

IGNORE_INDEX = 255
VOID_COLOUR = (224, 224, 192)  # VOC's own colour of the border that carries no label
_STRIP = 1 << 20  # pixels that an overlay blends at once

# Okabe and Ito's eight colours, distinct in every common form of colour blindness, in the order of the
# scenes' classes: background, sun, coin, square, triangle, ring, cross, wire.
SCENES_PALETTE = np.array(
    [
        (0, 0, 0),  # black
        (240, 228, 66),  # yellow
        (230, 159, 0),  # orange
        (86, 180, 233),  # sky blue
        (0, 158, 115),  # bluish green
        (213, 94, 0),  # vermilion
        (204, 121, 167),  # reddish purple
        (0, 114, 178),  # blue
    ],
    dtype=np.uint8,
)
SCENES_PALETTE.setflags(write=False)


def voc_palette(n: int) -> np.ndarray:
    """Return PASCAL VOC's palette, which spreads the bits of an index over the three channels.

    Args:
        n: number of colours, 1 to 256.

    Returns:
        (n, 3) uint8 RGB; row 0 is black, row 255 is VOC's void colour (224, 224, 192).

    Raises:
        ValueError: n is outside 1 to 256.
    """
    if not 1 <= n <= 256:
        raise ValueError(f"n={n}: expected 1 to 256 colours")
    index = np.arange(n)
    colours = np.zeros((n, 3), dtype=np.uint8)
    # In each step, bits 0, 1 and 2 of the rest of the index are the next lower bits of red, green and blue.
    for step in range(8):
        for channel in range(3):
            colours[:, channel] |= (((index >> (3 * step + channel)) & 1) << (7 - step)).astype(np.uint8)
    return colours


def colourise(mask: torch.Tensor | np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Paint class indices; an index beyond the palette, such as 255, gets the void colour.

    Args:
        mask: (H, W) class indices, 0 to 255.
        palette: (num_classes, 3) uint8 RGB.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    colours: np.ndarray = _table(palette)[_indices(mask)]
    return colours


def save_palette_png(mask: torch.Tensor | np.ndarray, palette: np.ndarray, path: str | PathLike[str]) -> None:
    """Write a PNG whose pixels are the class indices and whose palette shows them in colour.

    Args:
        mask: (H, W) class indices, 0 to 255.
        palette: (num_classes, 3) uint8 RGB.
        path: the file to write; it ends in .png.
    """
    picture = Image.fromarray(_indices(mask))
    # The grey picture becomes an indexed one with the same values.
    picture.putpalette(_table(palette).tobytes())
    write_with(Path(path), partial(picture.save, format="PNG"))


def overlay(
    image: torch.Tensor | np.ndarray, mask: torch.Tensor | np.ndarray, palette: np.ndarray, alpha: float = 0.5
) -> np.ndarray:
    """Blend the colours of a mask over its picture; pixels without a label (255) do not change.

    Args:
        image: (C, H, W) uint8 tensor, or (H, W, C) uint8 array; of other channels than RGB, `as_rgb` is shown.
        mask: (H, W) class indices.
        palette: (num_classes, 3) uint8 RGB.
        alpha: the colours' share, 0 (photo alone) to 1 (mask alone).

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the sizes differ, or alpha is outside 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha}: expected the mask's share, 0 to 1")
    photo = as_rgb(
        image.permute(1, 2, 0).cpu().numpy() if isinstance(image, torch.Tensor) else image
    )  # (H, W, 3)
    indices = _indices(mask)
    if photo.shape[:2] != indices.shape:
        raise ValueError(
            f"mask of {indices.shape} (height, width): expected the picture's size, {photo.shape[:2]}"
        )
    blended = np.empty(photo.shape, dtype=np.uint8)
    # In strips: in floating point, a large photo would be eight times its size.
    rows = max(1, _STRIP // photo.shape[1])
    for top in range(0, len(photo), rows):
        part, labels = photo[top : top + rows], indices[top : top + rows]
        mixed = np.rint((1 - alpha) * part + alpha * colourise(labels, palette)).astype(np.uint8)
        blended[top : top + rows] = np.where((labels == IGNORE_INDEX)[..., None], part, mixed)
    return blended


def as_rgb(photo: np.ndarray) -> np.ndarray:
    """Show a picture of any channels: (H, W, C) to (H, W, 3), the first three, or the first one as grey."""
    return photo[..., :3] if photo.shape[-1] >= 3 else np.repeat(photo[..., :1], 3, axis=-1)


def _table(palette: np.ndarray) -> np.ndarray:
    """Return 256 colours, (256, 3): the palette, then the void colour."""
    table = np.tile(np.array(VOID_COLOUR, dtype=np.uint8), (256, 1))
    table[: min(len(palette), 256)] = palette[:256]
    return table


def _indices(mask: torch.Tensor | np.ndarray) -> np.ndarray:
    array = mask.cpu().numpy() if isinstance(mask, torch.Tensor) else np.asarray(mask)
    if array.ndim != 2:
        raise ValueError(
            f"mask of shape {array.shape}: expected (height, width), one class index for each pixel"
        )
    if array.dtype != np.uint8:
        if array.size and (array.min() < 0 or array.max() > 255):
            raise ValueError(
                f"mask with values {array.min()} to {array.max()}: expected class indices, 0 to 255"
            )
        array = array.astype(np.uint8)
    return np.ascontiguousarray(array)
