"""The photo explorer: a 3×3 filter's response on a real photo, or on a feature map of it, at any rate."""

from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from dlv3.atrous import effective_kernel_size
from dlv3.course.image_explorer import ImageExplorer, Pick, Slider, cividis, png

FILTERS = {
    "vertical edges": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4,
    "horizontal edges": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]) / 4,
    "spots": torch.tensor([[-1.0, -1, -1], [-1, 8, -1], [-1, -1, -1]]) / 8,
    "mean": torch.full((3, 3), 1 / 9),
}
PHOTO, FEATURES = "the photo", "a feature map"
_PANEL, _GAP, _TOP = 340, 20, 26  # pixels: a panel's side, the space between two, the caption's height
_TAP, _EDGE, _QUIET = (230, 159, 0, 255), (28, 32, 36, 255), (125, 135, 145, 255)


@cache
def photo(size: int = 340) -> Tensor:
    """Matplotlib's sample photo (Grace Hopper, US Navy, public domain), in grey.

    Args:
        size: the side of the square cut from it, in pixels.

    Returns:
        (size, size) float32 in 0..1.
    """
    from matplotlib import cbook

    with cbook.get_sample_data("grace_hopper.jpg") as file:
        picture = (
            Image.open(file)
            .convert("L")
            .crop((20, 0, 500, 480))
            .resize((size, size), Image.Resampling.LANCZOS)
        )
    return torch.from_numpy(np.asarray(picture, dtype=np.float32) / 255)


def edge_strength(image: Tensor, output_stride: int = 4) -> Tensor:
    """A simple feature map with nothing learnt: how strong edges are, averaged over cells of output_stride pixels.

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
    """A 3×3 filter's answer at every position, at a rate; past the border the image's edge goes on.

    Args:
        image: (H, W).
        weight: (3, 3).

    Returns:
        (H, W).
    """
    padded = F.pad(image[None, None], (rate,) * 4, mode="replicate")
    return F.conv2d(padded, weight[None, None], dilation=rate)[0, 0]


class PhotoExplorer(ImageExplorer):
    """Rate, filter and what it is run on; left the input with the nine taps of one output, right the response.

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
        bound = None if filter == "mean" else float(answer.abs().max())
        right = cividis(answer.numpy(), None if bound is None else -bound, bound)
        left = (image.clamp(0, 1) * 255).byte().numpy()
        canvas = Image.new("RGBA", (2 * _PANEL + _GAP, _PANEL + _TOP), (0, 0, 0, 0))
        for x, panel in ((0, Image.fromarray(left)), (_PANEL + _GAP, Image.fromarray(right))):
            canvas.paste(panel.convert("RGBA").resize((_PANEL, _PANEL), Image.Resampling.NEAREST), (x, _TOP))
        self._annotate(ImageDraw.Draw(canvas), rate, image.shape[-1], on, filter)
        return png(np.asarray(canvas))

    def _annotate(self, draw: ImageDraw.ImageDraw, rate: int, size: int, on: str, filter: str) -> None:
        font = _font()
        draw.text((0, 4), f"{on}, {size} by {size}, and the taps of one output", fill=_QUIET, font=font)
        draw.text((_PANEL + _GAP, 4), f"response to {filter!r}, rate {rate}", fill=_QUIET, font=font)
        pixel, centre = _PANEL / size, size // 2
        half = max(3.0, pixel / 2)
        for row in (-rate, 0, rate):
            for column in (-rate, 0, rate):
                x, y = (centre + column + 0.5) * pixel, _TOP + (centre + row + 0.5) * pixel
                draw.rectangle((x - half, y - half, x + half, y + half), fill=_TAP, outline=_EDGE)

    def _sentence(self, rate: int, filter: str, on: str) -> str:
        image = self.inputs[on]
        span = effective_kernel_size(3, rate)
        strength = float(response(image, FILTERS[filter], rate).abs().mean())
        return (
            f"Rate {rate}: the nine taps of {filter!r} span {span} × {span} of {image.shape[-1]} × {image.shape[-1]} "
            f"samples; the response's mean strength is {strength:.3f}."
        )


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=13)
