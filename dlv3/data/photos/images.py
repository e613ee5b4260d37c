"""Reading photos and masks from files: every common kind is read correctly, or the error names the file.

A photo is returned as a viewer shows it: upright (EXIF orientation applied), RGB, 8 bits. A mask is returned as class
indices. A mask drawn over the upright photo has its size; one made from the stored pixels has theirs, and is
turned with the photo. If both sizes agree (a square photo, or one that is only mirrored or upside down), the mask
belongs to the upright photo, which is the one that labelling tools show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.palette import IGNORE_INDEX
from dlv3.data.photos.colours import ColourTable
from dlv3.data.photos.opening import MASK_FORMATS, Path, opened, require_one_page
from dlv3.data.photos.pixels import SIXTEEN_BITS, pixels_of

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
# Lossless kinds; JPEG would add wrong labels along every outline.
MASK_SUFFIXES = (".png", ".tif", ".tiff")
# Pictures and films of kinds that are not read: they are counted and named, while notes and the like are passed over.
_OTHER = ".avif .dng .gif .heic .heif .jfif .jp2 .jxl .pbm .pgm .pnm .ppm .psd .svg .tga .arw .cr2 .cr3 .nef .orf .raf"
_FILMS = ".3gp .avi .m4v .mkv .mov .mp4 .mpeg .mpg .webm .wmv"
OTHER_SUFFIXES = frozenset(f"{_OTHER} {_FILMS}".split())

_ORIENTATION = 0x0112  # EXIF's tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path, channels: int = 3, bits: int = 16) -> tv_tensors.Image:
    """Read a photo: JPEG, PNG or WebP; grey, palette, transparent (over white), CMYK or 16 bits a channel.

    Args:
        path: the file.
        channels: the model's: 3 gives RGB and 1 grey, of any picture; another number takes the channels (such as RGBA)
            or the pages of a TIFF as they are.
        bits: that the values of a 16-bit picture use, 9 to 16: the largest value of so many bits becomes white.

    Returns:
        (channels, H, W) uint8, upright.

    Raises:
        DataError: the file does not exist, is not a picture or is broken; it is named.
    """
    return _read_photo(path, channels, bits)[0]


def read_mask(path: Path, ignore: Sequence[int] = (), colours: ColourTable | None = None) -> tv_tensors.Mask:
    """Read a mask of class indices: a grey or palette PNG, or a one-channel TIFF; or of colours, with their table.

    Args:
        path: the file.
        ignore: values that become 255, which means no label.
        colours: the class of each colour. With it, every mask is read by its colours, one of a palette or grey too.

    Returns:
        (H, W) uint8.

    Raises:
        DataError: the file does not exist, is broken, has more than one channel, values beyond 255 or a
            colour that is not in the table.
    """
    with opened(path, MASK_FORMATS) as picture:
        require_one_page(picture, path, "a mask")
        picture.load()
        upright = _turn(picture, _orientation(picture))
        indices = (
            _indices(upright, path, ignore) if colours is None else _by_colour(upright, path, ignore, colours)
        )
        return tv_tensors.Mask(torch.from_numpy(indices))


@dataclass(frozen=True)
class MaskReader:
    """The way in which a data set reads its masks: `reader(path)` is `read_mask` with these options."""

    ignore: tuple[int, ...] = ()
    colours: ColourTable | None = None

    def __call__(self, path: Path) -> tv_tensors.Mask:
        return read_mask(path, self.ignore, self.colours)


def read_pair(
    image: Path,
    mask: Path,
    ignore: Sequence[int] = (),
    colours: ColourTable | None = None,
    channels: int = 3,
    bits: int = 16,
) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
    """Read a photo and its mask; a mask made from the stored pixels of a rotated photo is turned with it.

    Returns:
        (channels, H, W) uint8; (H, W) uint8.

    Raises:
        DataError: as `read_image` and `read_mask`, or the sizes differ.
    """
    photo, stored, orientation = _read_photo(image, channels, bits)
    labels = read_mask(mask, ignore, colours)
    if labels.shape == photo.shape[1:]:
        return photo, labels
    if labels.shape == stored:
        return photo, tv_tensors.Mask(torch.from_numpy(_turned(labels.numpy(), orientation)))
    (height, width), (mask_height, mask_width) = photo.shape[1:], labels.shape
    raise DataError(
        f"{mask}: the mask is {mask_width}×{mask_height} pixels and its picture {image} {width}×{height}; "
        f"they must have one size"
    )


def _read_photo(path: Path, channels: int, bits: int) -> tuple[tv_tensors.Image, tuple[int, int], int]:
    """Return the upright photo, its (height, width) as stored, and its EXIF orientation, 1 to 8."""
    with opened(path) as picture:
        # First, so that an error in the pixels is raised here.
        picture.load()
        orientation = _orientation(picture)
        stored = (picture.height, picture.width)
        photo = pixels_of(picture, path, channels, bits)  # (H, W, channels)
    if orientation != 1:
        # Pillow turns pictures of up to four channels; each channel is one of one.
        photo = np.stack([_turned(channel, orientation) for channel in photo.transpose(2, 0, 1)], axis=-1)
    return tv_tensors.Image(torch.from_numpy(photo).permute(2, 0, 1).contiguous()), stored, orientation


def _turned(values: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn (H, W) values upright."""
    return np.array(Image.fromarray(np.ascontiguousarray(values)).transpose(_UPRIGHT[orientation]))


def _indices(picture: Image.Image, path: Path, ignore: Sequence[int]) -> np.ndarray:
    """Return a one-channel picture as (H, W) uint8 class indices."""
    if picture.mode == "F":
        raise DataError(
            f"{path}: the mask has floating-point values; save class indices as whole numbers of 8 bits"
        )
    if picture.mode not in ("1", "L", "P", *SIXTEEN_BITS):
        raise DataError(
            f"{path}: the mask has {len(picture.getbands())} channels ({picture.mode}); "
            "a mask has one channel of class indices (a palette PNG is fine), or give a table of its colours"
        )
    values = np.array(picture)
    if picture.mode == "L":
        values //= _grey_step(path)
    if values.dtype in (np.bool_, np.uint8):
        return _without_ignored(values.astype(np.uint8), ignore)
    values = np.where(np.isin(values, ignore), IGNORE_INDEX, values.astype(np.int64))
    if values.min() < 0 or values.max() > 255:
        wrong = values[(values < 0) | (values > 255)][0]
        raise DataError(f"{path}: label {wrong}; expected a class index, 0 to 254, or 255 for no label")
    return values.astype(np.uint8)


def _by_colour(
    picture: Image.Image, path: Path, ignore: Sequence[int], colours: ColourTable
) -> NDArray[np.uint8]:
    """Return a picture in colour as (H, W) uint8 class indices."""
    if picture.mode in ("F", *SIXTEEN_BITS):
        raise DataError(
            f"{path}: the mask has 16 bits or floating-point values, and {colours.path} gives colours of 8 bits; save "
            "the mask with 8 bits, or take the table away"
        )
    rgb = np.array(picture.convert("RGB"))
    return _without_ignored(colours.indices(rgb, path), ignore)


def _without_ignored(values: NDArray[np.uint8], ignore: Sequence[int]) -> NDArray[np.uint8]:
    table = np.arange(256, dtype=np.uint8)
    table[[v for v in ignore if 0 <= v <= 255]] = IGNORE_INDEX
    kept: NDArray[np.uint8] = table[values]
    return kept


def _grey_step(path: Path) -> int:
    """Return the step between neighbouring values of a grey PNG: Pillow spreads 2 or 4 bits over 0 to 255."""
    with open(path, "rb") as file:
        header = file.read(26)
    bits = header[24] if header.startswith(b"\x89PNG") else 8
    return 255 // ((1 << bits) - 1)


def _orientation(picture: Image.Image) -> int:
    try:
        value: int = picture.getexif().get(_ORIENTATION, 1)
    except Exception:
        # Broken metadata does not mean broken pixels.
        return 1
    return value if value in _UPRIGHT else 1


def _turn(picture: Image.Image, orientation: int) -> Image.Image:
    return picture.transpose(_UPRIGHT[orientation]) if orientation != 1 else picture
