"""Turn an opened picture into bytes: RGB as a viewer shows it, or the channels as they are for a model of others.

Values of 16 bits become 8 by dividing by the largest value that they can have. Cameras and microscopes often store 10,
12 or 14 bits in 16, and such a picture comes out nearly black, unless their number of bits is given.
"""

import warnings
from os import fspath
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from dlv3.data.errors import DataError
from dlv3.data.photos.opening import Path, require_one_page

SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_BITS_PER_SAMPLE = 258  # TIFF's tag
_SAMPLES = 277  # TIFF's tag: channels of a page
_USED = 14  # bits: a 16-bit picture that uses no more is reported


def pixels_of(picture: Image.Image, path: Path, channels: int, bits: int) -> NDArray[np.uint8]:
    """Return the pixels of a picture, (H, W, channels) uint8.

    Args:
        picture: loaded, of any mode.
        path: its file, for messages.
        channels: 3 for RGB (transparency over white), 1 for grey, or as many as the picture has channels or pages.
        bits: that the values of a 16-bit picture use, 9 to 16.

    Raises:
        DataError: the picture has another number of channels, several pages, or values that do not fit.
    """
    if not 9 <= bits <= 16:
        raise DataError(f"bits={bits}: expected 9 to 16")
    pages = getattr(picture, "n_frames", 1)
    if channels not in (1, 3) and pages == channels:
        single = [_bytes(page.copy(), path, bits) for page in ImageSequence.Iterator(picture)]
        if any(page.shape != single[0].shape or page.ndim != 2 for page in single):
            raise DataError(f"{path}: its {pages} pages are not one channel each, of one size; save them so")
        return np.stack(single, axis=-1)
    if channels in (1, 3):
        channel_pages = (
            f"; if they are channels, the model needs in_channels={pages} (--model.in-channels {pages})"
        )
        require_one_page(picture, path, "a picture", channel_pages if picture.format == "TIFF" else "")
    else:
        require_one_page(picture, path, f"a picture of {channels} channels", f", or {channels} pages")
    if channels == 3:
        return _rgb(picture, path, bits)
    if channels == 1:
        grey = _bytes(picture if _is_sixteen(picture) else picture.convert("L"), path, bits)
        return grey[..., None]
    bands = picture.getbands()
    stored = getattr(picture, "tag_v2", {}).get(_SAMPLES, len(bands))
    if stored != len(bands):
        raise DataError(
            f"{path}: one page of {stored} channels, of which {len(bands)} can be read; save each channel as a page of "
            "one TIFF"
        )
    if len(bands) != channels or picture.mode == "P":
        raise DataError(
            f"{path}: has {len(bands)} channels ({picture.mode}); expected {channels}, the model's in_channels, as "
            "channels or as pages of one TIFF"
        )
    return _bytes(picture, path, bits)


def _rgb(picture: Image.Image, path: Path, bits: int) -> NDArray[np.uint8]:
    if picture.has_transparency_data:
        # Colours under full transparency are arbitrary: a white page is shown instead.
        rgba = picture.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
        return np.array(flat.convert("RGB"))
    as_it_is = picture.mode in ("RGB", "F", *SIXTEEN_BITS)
    values = _bytes(picture if as_it_is else picture.convert("RGB"), path, bits)
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=-1)


def _is_sixteen(picture: Image.Image) -> bool:
    return picture.mode in SIXTEEN_BITS


def _bytes(picture: Image.Image, path: Path, bits: int) -> NDArray[np.uint8]:
    """Return the picture's values as bytes, those of 16 bits divided by the largest that `bits` can have."""
    if picture.mode == "F":
        raise DataError(
            f"{path}: floating-point pixels of unknown range; save it with 8 or 16 bits a channel"
        )
    if not _is_sixteen(picture):
        upper = np.array(picture)
        # Of 16 bits in colour, Pillow gives the upper 8.
        if _bits_stored(picture, path) == 16 and 0 < upper.max() < 2 ** (_USED - 8):
            _warn_of_dark(
                FilePath(fspath(path)).parent,
                f"{path}: 16 bits a channel of which the upper ones are 0: it comes out nearly black; save it with 8 "
                "bits a channel",
            )
        return upper
    values = np.array(picture)
    least, most, white = int(values.min()), int(values.max()), 2**bits - 1
    if least < 0 or most > white:
        raise DataError(
            f"{path}: values {least} to {most}; expected 0 to {white}: "
            + ("save it with 8 or 16 bits a channel" if bits == 16 else f"image_bits={bits} is too few")
        )
    if bits == 16 and 0 < most < 2**_USED:
        used = max(most.bit_length(), 9)
        _warn_of_dark(
            FilePath(fspath(path)).parent,
            f"{path}: a 16-bit picture whose values end at {most} of 65535 comes out nearly black; if all pictures are "
            f"of {used} bits, give image_bits={used} (--image-bits {used})",
        )
    table: NDArray[np.uint8] = ((np.arange(white + 1) * 255 + white // 2) // white).astype(np.uint8)
    scaled: NDArray[np.uint8] = table[values]
    return scaled


def _bits_stored(picture: Image.Image, path: Path) -> int:
    """Return the bits of a value in the file, where that is known: a PNG's or a TIFF's; else 8."""
    if picture.format == "PNG":
        with open(path, "rb") as file:
            return file.read(25)[-1]
    bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
    return max(bits) if isinstance(bits, tuple) else 8


_warned: set[FilePath] = set()


def _warn_of_dark(folder: FilePath, line: str) -> None:
    """Warn once for a folder: its pictures come from one camera."""
    if folder not in _warned:
        _warned.add(folder)
        warnings.warn(line, stacklevel=2)
