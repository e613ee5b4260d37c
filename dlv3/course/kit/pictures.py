"""Pictures as PNG bytes, made quickly enough to follow a slider."""

import io
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Degrees of opacity that a stored picture keeps.
_OPACITIES = 16


def png(pixels: np.ndarray, *, scale: int = 1) -> bytes:
    """Return an image as PNG bytes, quickly.

    Args:
        pixels: (H, W, 3) or (H, W) uint8.
        scale: each pixel becomes scale × scale pixels, with sharp edges.
    """
    if scale > 1:
        pixels = pixels.repeat(scale, axis=0).repeat(scale, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def indexed_png(indices: np.ndarray, palette: np.ndarray, *, compress_level: int = 1) -> bytes:
    """Return an image of at most 256 colours as PNG bytes: several times faster than `png`, and smaller.

    Args:
        indices: (H, W) uint8, the index of each pixel's colour; a mask of classes is such an image.
        palette: (K, 3) or (K, 4) uint8, the colours, with their opacity in the fourth column.
        compress_level: from 1, for a picture that follows a slider, to 9, for one that is stored.
    """
    image = Image.fromarray(np.ascontiguousarray(indices), mode="P")
    image.putpalette(palette[:, :3].tobytes())
    opacity = {"transparency": palette[:, 3].tobytes()} if palette.shape[1] == 4 else {}
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=compress_level, **opacity)
    return buffer.getvalue()


def in_few_colours(picture: bytes, colours: int = 256) -> bytes:
    """Return a PNG picture in at most so many colours, to be stored in a notebook: a fraction of the bytes.

    What is opaque stays opaque. What is not, such as the rims of a figure's letters on its transparent ground, becomes
    one colour in `_OPACITIES` degrees.

    Args:
        picture: PNG bytes, with or without transparency.
        colours: from 32 to 256.
    """
    image = Image.open(io.BytesIO(picture))
    if image.mode != "RGBA":
        buffer = io.BytesIO()
        image.quantize(colours, method=Image.Quantize.FASTOCTREE).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()
    pixels = np.asarray(image)
    clear = pixels[..., 3] < 255
    kept = colours - _OPACITIES
    indexed = image.convert("RGB").quantize(kept, method=Image.Quantize.MEDIANCUT)
    table = np.array(indexed.getpalette() or (), np.uint8).reshape(-1, 3)[:kept]
    palette = np.zeros((colours, 4), np.uint8)
    palette[: len(table), :3], palette[: len(table), 3] = table, 255
    rims = pixels[clear & (pixels[..., 3] > 0), :3]
    palette[kept:, :3] = rims.mean(0).round() if len(rims) else 0
    palette[kept:, 3] = np.linspace(0, 255, _OPACITIES).round()
    steps = (pixels[..., 3] / 255 * (_OPACITIES - 1)).round().astype(np.uint8)
    indices = np.where(clear, kept + steps, np.asarray(indexed)).astype(np.uint8)
    return indexed_png(indices, palette, compress_level=9)


def cividis(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Return numbers as colours that colour-blind readers can tell apart too.

    Args:
        values: (H, W) numbers.
        low, high: values of the darkest and the lightest colour; None takes the smallest and the largest value.

    Returns:
        (H, W, 3) uint8.
    """
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    colours: np.ndarray = cividis_table()[levels(values, low, high, 256)]
    return colours


def levels(values: np.ndarray, low: float, high: float, count: int) -> np.ndarray:
    """Return numbers as whole steps from 0 (at `low` and below) to count - 1 (at `high` and above), uint8."""
    return (np.clip((values - low) / max(high - low, 1e-12), 0, 1) * (count - 1)).round().astype(np.uint8)


@cache
def cividis_table() -> np.ndarray:
    """Return the colours of cividis from dark blue to yellow: (256, 3) uint8."""
    from matplotlib import colormaps

    return (colormaps["cividis"](np.linspace(0, 1, 256))[:, :3] * 255).round().astype(np.uint8)


def figure_png(figure: "Figure", dpi: int = 96) -> bytes:
    """Return a matplotlib figure as PNG bytes.

    To redraw quickly, make the figure once, change its artists' data, and call this again.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, pil_kwargs={"compress_level": 1})
    return buffer.getvalue()
