"""Stored pictures as files that a phone can afford: WebP at the size they are shown, loaded when they come near."""

import base64
import hashlib
import html
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dlv3.files import write_atomically

_QUALITY = 75
_COLOURS = 96
# Of 255; more than this is seen.
_SAME = 4.0
_WIDEST = 1400
# A picture up to this width, in CSS pixels, can be read on a phone as it is.
_PHONE = 430


class Figures:
    """Writes pictures into a folder of the book.

    Args:
        folder: the folder.
        address: its address, as the pages see it.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.written: set[Path] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def image(self, png: str, name: str, alt: str, width: int | None = None) -> str:
        """Write a stored PNG as WebP, and return the markup that shows it.

        Args:
            png: its bytes in base64.
            name: the file's name without ending.
            alt: what it shows, in words.
            width: its width on the page, in CSS pixels; as wide as it is where left out.
        """
        data = base64.b64decode(png)
        picture = Image.open(io.BytesIO(data))
        w, h = picture.size
        shown = width or w
        return _markup(self.write(picture, _named(name, data)), alt, shown, round(h * shown / w))

    def file(self, path: Path, alt: str) -> str:
        """Write a picture of the project, and return the markup that shows it: an SVG as it is, a PNG as WebP.

        A plot has its title in it; under a picture stands what it shows.

        Args:
            path: its file.
            alt: what it shows, in words.
        """
        data = path.read_bytes()
        if path.suffix != ".svg":
            shown = self.image(base64.b64encode(data).decode(), path.stem, alt)
            caption = f'<figcaption aria-hidden="true">{html.escape(alt)}</figcaption></figure>'
            return shown.replace("</figure>", caption)
        size = re.search(rb'<svg [^>]*width="([\d.]+)pt" height="([\d.]+)pt"', data)
        if size is None:
            raise ValueError(f"{path}: the picture has no width and height in points")
        file = self.folder / f"{_named(path.stem, data)}.svg"
        self.written.add(file)
        write_atomically(file, data)
        width, height = (round(float(points) * 4 / 3) for points in size.groups())
        return _markup(f"{self.address}/{file.name}", alt, width, height)

    def write(self, picture: Image.Image, name: str) -> str:
        """Write a picture, and return its address."""
        file = self.folder / f"{name}.webp"
        self.written.add(file)
        if not file.exists():
            write_atomically(file, webp(picture))
        return f"{self.address}/{file.name}"


def _named(name: str, data: bytes) -> str:
    """Return a name that follows from the content: no browser shows an older picture in the place of a new one."""
    return f"{name}-{hashlib.sha256(data).hexdigest()[:8]}"


def _markup(address: str, alt: str, width: int, height: int) -> str:
    kind = "dlv3-figure dlv3-plot" if width > _PHONE else "dlv3-figure"
    return (
        f'<figure class="{kind}"><img src="{address}" alt="{html.escape(alt, quote=True)}" '
        f'width="{width}" height="{height}" loading="lazy" decoding="async"></figure>'
    )


def webp(picture: Image.Image) -> bytes:
    """Return a picture as WebP in the smallest of three ways: as it is, in fewer colours, or as a photo.

    Plots and label maps have few colours beside those of blurred edges: with 96 of them they look the same and take a
    third. A picture that would look different, such as a photo, keeps its colours.
    """
    if picture.width > _WIDEST:
        picture = picture.resize(
            (_WIDEST, round(picture.height * _WIDEST / picture.width)), Image.Resampling.LANCZOS
        )
    whole = picture.convert("RGBA")
    if whole.getchannel("A").getextrema()[0] == 255:
        whole = whole.convert("RGB")
    few = whole.quantize(_COLOURS, method=Image.Quantize.FASTOCTREE).convert(whole.mode)
    ways: list[bytes] = [_saved(whole, quality=_QUALITY, alpha_quality=_QUALITY, method=4)]
    ways.append(_saved(few if _difference(whole, few) < _SAME else whole, lossless=True, method=3))
    return min(ways, key=len)


def _difference(one: Image.Image, other: Image.Image) -> float:
    """Return the root of the mean square of the difference, of 255, weighted by how opaque a pixel is."""
    a, b = (np.asarray(image.convert("RGBA"), dtype=np.float32) for image in (one, other))
    opaque = a[..., 3:] / 255
    return float(
        np.sqrt((((a[..., :3] - b[..., :3]) * opaque) ** 2).mean() + ((a[..., 3] - b[..., 3]) ** 2).mean())
    )


def _saved(picture: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()
