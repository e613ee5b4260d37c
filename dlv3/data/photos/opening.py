"""Opening a picture's file safely: the documented formats only, a bounded size, one page, and one line for each error.

Pillow knows some forty formats, among them ones that are programs (EPS starts another one to draw itself), and picks
by a file's content, whatever its name says. A small compressed file can hold a picture that fills the memory, so the
size is checked before the pixels are read.
"""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from PIL import Image, ImageSequence, UnidentifiedImageError

from dlv3.data.errors import DataError

# Pillow reads MPO as a kind of JPEG: some phones save a second picture behind the first one.
IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
# Lossless kinds; JPEG would add wrong labels along every outline.
MASK_FORMATS = ("PNG", "TIFF")

MAX_PIXELS = 1 << 27
"""Of a picture: 134 million, more than a phone's 108; as RGB they take 400 MB."""

_SUBFILE = 254  # TIFF's tag; bit 0 marks a page that is a smaller copy of another one

Path = str | PathLike[str]

# Otherwise Python prints what Pillow logs about a bad file, beside the one line of the error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def opened(path: Path, formats: tuple[str, ...] = IMAGE_FORMATS) -> Iterator[Image.Image]:
    """Open a picture with Pillow; every error, also one while it is in use, becomes one line that names the file.

    Raises:
        DataError: the file does not exist, is of another format, is too large or is broken.
    """
    try:
        # Opening a pipe would wait until something writes to it.
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
            raise DataError(f"{path}: {what}, not a picture")
        with Image.open(path, formats=formats) as picture:
            _require_readable_size(picture, path)
            yield picture
    except (DataError, MemoryError):
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    except UnidentifiedImageError:
        if "TIFF" in formats and _is_tiff(path):
            raise DataError(
                f"{path}: a TIFF of a kind that is not read, such as one page of many channels; save each channel as a "
                "page of 8 or 16 bits"
            ) from None
        raise DataError(f"{path}: not a picture that can be read; give {_listed(formats)}") from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{path}: too large to read safely ({error}); make it smaller") from None
    except Exception as error:
        # Pillow's readers raise OSError, SyntaxError, ValueError, struct.error and more.
        raise DataError(f"{path}: broken or cut short ({error}); save or copy it again") from error


def require_one_page(picture: Image.Image, path: Path, what: str, hint: str = "") -> None:
    """Check that a file holds one picture, not the first of several; small copies of it do not count.

    Args:
        picture: opened.
        path: its file, for the message.
        what: the kind of picture that has one page.
        hint: ends the message.

    Raises:
        DataError: there are several.
    """
    # A phone's second picture is a preview or a depth map.
    if picture.format == "MPO" or getattr(picture, "n_frames", 1) == 1:
        return
    pages = sum(not _is_small_copy(page) for page in ImageSequence.Iterator(picture))
    picture.seek(0)
    if pages > 1:
        raise DataError(
            f"{path}: has {pages} pages or frames; {what} has one: save the right one alone{hint}"
        )


def _is_small_copy(page: Image.Image) -> bool:
    tags = getattr(page, "tag_v2", None)
    return tags is not None and bool(tags.get(_SUBFILE, 0) & 1)


def _require_readable_size(picture: Image.Image, path: Path) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise DataError(
            f"{path}: {picture.width}×{picture.height} pixels; expected at most {MAX_PIXELS} in all: make it smaller, "
            "or cut it into parts"
        )


def _is_tiff(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _listed(formats: tuple[str, ...]) -> str:
    return f"{', '.join(formats[:-1])} or {formats[-1]}"
