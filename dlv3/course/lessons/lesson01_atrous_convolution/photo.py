"""The photo explorer: a 3×3 filter's response on a real photo, or on a feature map of it, at any rate."""

from functools import cache

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from dlv3.atrous import effective_kernel_size
from dlv3.course.kit.image_explorer import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import cividis_table, indexed_png, levels
from dlv3.course.kit.sample_photo import sample_photo

Indices = npt.NDArray[np.uint8]
"""Colours of a picture, as numbers of its palette."""

FILTERS = {
    "vertical edges": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4,
    "horizontal edges": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 4,
    "spots": torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 8,
    "mean": torch.full((3, 3), 1 / 9),
}
PHOTO, FEATURES = "the photo", "a feature map"
_PANEL, _GAP, _TOP = 340, 20, 26  # pixels: a panel's side, the space between two, the caption's height
# The picture has 250 colours: greys, cividis, the caption's grey from clear to opaque, the taps and their edge.
_GREYS, _COLOURS, _CAPTION, _TAP, _EDGE = 0, 112, 240, 248, 249


@cache
def photo(size: int = 340) -> Tensor:
    """Return matplotlib's sample photo (Grace Hopper, US Navy, public domain) in grey.

    Args:
        size: the side of the square cut from it, in pixels.

    Returns:
        (size, size) float32 in 0..1.
    """
    square = sample_photo().convert("L").crop((20, 0, 500, 480))
    picture = square.resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)


def edge_strength(image: Tensor, output_stride: int = 4) -> Tensor:
    """Return a simple feature map without learning: the strength of edges, averaged over cells of output_stride pixels.

    Args:
        image: (H, W).

    Returns:
        (H / output_stride, W / output_stride), in 0..1.
    """
    filters = torch.stack([FILTERS["vertical edges"], FILTERS["horizontal edges"]])[:, None]
    slopes = F.conv2d(F.pad(image[None, None], (1, 1, 1, 1), mode="replicate"), filters)  # (1, 2, H, W)
    strength = F.avg_pool2d(slopes.norm(dim=1, keepdim=True), output_stride)[0, 0]
    return strength / strength.max()


def response(image: Tensor, weight: Tensor, rate: int) -> Tensor:
    """Return a 3×3 filter's answer at every position, at a rate; the image's edge continues past the border.

    Args:
        image: (H, W).
        weight: (3, 3).

    Returns:
        (H, W).
    """
    padded = F.pad(image[None, None], (rate,) * 4, mode="replicate")
    return F.conv2d(padded, weight[None, None], dilation=rate)[0, 0]


class PhotoExplorer(ImageExplorer):
    """Rate, filter and input to choose; left the input with the nine taps of one output, right the response.

    Args:
        features: (h, w) a feature map to offer beside the photo; None is the photo's edge strength at output stride 4.
        max_rate: the slider's end.
    """

    def __init__(self, features: Tensor | None = None, *, max_rate: int = 16) -> None:
        self.inputs = {PHOTO: photo(), FEATURES: edge_strength(photo()) if features is None else features}
        super().__init__(
            self._draw,
            {
                "rate": Slider("Rate", range(1, max_rate + 1)),
                "filter": Pick("Filter, 3×3", tuple(FILTERS)),
                "on": Pick("Run on", (PHOTO, FEATURES)),
            },
            says=self._sentence,
            title="Photo: one filter at any rate",
            width=2 * _PANEL + _GAP,
        )

    def _draw(self, rate: int, filter: str, on: str) -> bytes:
        image = self.inputs[on]
        answer = response(image, FILTERS[filter], rate)
        largest = float(answer.abs().max())
        low, high = (0.0, 1.0) if filter == "mean" else (-largest, largest)
        canvas = np.full((_TOP + _PANEL, 2 * _PANEL + _GAP), _CAPTION, dtype=np.uint8)
        canvas[_TOP:, :_PANEL] = _panel(_GREYS + levels(image.numpy(), 0, 1, _COLOURS - _GREYS))
        colours = levels(answer.numpy(), low, high, _CAPTION - _COLOURS)
        canvas[_TOP:, _PANEL + _GAP :] = _panel(_COLOURS + colours)
        canvas[:_TOP] = _caption(
            f"{on}, {image.shape[-1]} by {image.shape[-1]}, and the taps of one output",
            f"response to {filter!r}, rate {rate}",
        )
        _mark_taps(canvas, rate, image.shape[-1])
        return indexed_png(canvas, _palette())

    def _sentence(self, rate: int, filter: str, on: str) -> str:
        image = self.inputs[on]
        span = effective_kernel_size(3, rate)
        strength = float(response(image, FILTERS[filter], rate).abs().mean())
        return (
            f"Rate {rate}: the nine taps of {filter!r} span {span} × {span} of {image.shape[-1]} × {image.shape[-1]} "
            f"samples; the response's mean strength is {strength:.3f}."
        )


def _panel(indices: Indices) -> Indices:
    """Enlarge a square of indices to a panel, each pixel to a sharp square."""
    nearest = np.arange(_PANEL) * indices.shape[0] // _PANEL
    panel: Indices = indices[nearest][:, nearest]
    return panel


def _mark_taps(canvas: Indices, rate: int, size: int) -> None:
    """Draw the nine taps of the middle output on the left panel."""
    pixel, centre = _PANEL / size, size // 2
    half = max(3, round(pixel / 2))
    for row in (-rate, 0, rate):
        for column in (-rate, 0, rate):
            x, y = int((centre + column + 0.5) * pixel), _TOP + int((centre + row + 0.5) * pixel)
            canvas[y - half : y + half + 1, x - half : x + half + 1] = _EDGE
            canvas[y - half + 1 : y + half, x - half + 1 : x + half] = _TAP


def _caption(left: str, right: str) -> Indices:
    """Return two captions in the caption's eight steps of opacity: (_TOP, 2 * _PANEL + _GAP)."""
    mask = Image.new("L", (2 * _PANEL + _GAP, _TOP))
    draw = ImageDraw.Draw(mask)
    for x, words in ((0, left), (_PANEL + _GAP, right)):
        draw.text((x, 4), words, fill=255, font=_font())
    opacity: Indices = np.asarray(mask) // 32
    return opacity + np.uint8(_CAPTION)


@cache
def _palette() -> npt.NDArray[np.uint8]:
    palette = np.full((250, 4), 255, dtype=np.uint8)
    palette[_GREYS:_COLOURS, :3] = np.linspace(0, 255, _COLOURS - _GREYS)[:, None]
    palette[_COLOURS:_CAPTION, :3] = cividis_table()[:: 256 // (_CAPTION - _COLOURS)]
    palette[_CAPTION:_TAP, :3] = (125, 135, 145)
    palette[_CAPTION:_TAP, 3] = np.linspace(0, 255, _TAP - _CAPTION)
    palette[_TAP, :3], palette[_EDGE, :3] = (230, 159, 0), (28, 32, 36)  # Okabe-Ito orange
    return palette


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=13)
