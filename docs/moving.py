"""The picture on the front page: one set of weights, and a slider that sets the output stride it runs at."""

import io
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import dlv3
from dlv3 import assets
from dlv3.data.made.scenes import Scenes
from dlv3.data.palette import colourise
from dlv3.data.transforms import EvalTransform
from dlv3.files import write_atomically
from docs.figures import Figures
from docs.picture_explorers import Control, Frame, explorer
from docs.settings import TITLE

_SCENE = 10
_STRIDES = (32, 16, 8, 4)
_GAP = 12


def moving_picture(figures: Figures) -> str:
    """Write a frame for each output stride, and return the explorer that shows them in turn."""
    frames: dict[tuple[int, ...], Frame] = {
        (place,): Frame(figures.write(picture, f"front-{stride}-{crc32(picture.tobytes()):08x}"), words)
        for place, (stride, (picture, words)) in enumerate(_pictures().items())
    }
    control = Control("Output stride", tuple(map(str, _STRIDES)), start=1)
    width, height = next(iter(_pictures().values()))[0].size
    return explorer("One set of weights, four output strides", [control], frames, (width, height), play=True)


def preview(file: Path) -> None:
    """Write the picture that other sites show beside a link to the book, 1200 × 630."""
    card = Image.new("RGB", (1200, 630), "#10202c")
    row = _pictures()[8][0]
    height = round(row.height * 1120 / row.width)
    card.paste(row.resize((1120, height), Image.Resampling.NEAREST), (40, 630 - height - 60))
    draw = ImageDraw.Draw(card)
    draw.text((40, 50), TITLE, fill="white", font=ImageFont.load_default(60))
    words = "From one atrous convolution to a complete, trained model"
    draw.text((40, 135), words, fill="#c8d6e0", font=ImageFont.load_default(34))
    buffer = io.BytesIO()
    card.save(buffer, "PNG", optimize=True)
    write_atomically(file, buffer.getvalue())


@cache
def _pictures() -> dict[int, tuple[Image.Image, str]]:
    scenes = Scenes("val", pictures=_SCENE + 1)
    model = dlv3.weights.load(assets.weights("scenes_laptop")).eval()
    image, mask = scenes[_SCENE]
    prepared, _ = EvalTransform()(image, mask)
    made = {}
    for stride in _STRIDES:
        model.set_output_stride(stride)
        with torch.inference_mode():
            labels = model(prepared[None]).argmax(1)[0]  # (129, 129)
        right = (labels == mask).float().mean().item()
        gap = np.full((mask.shape[0], _GAP // 3, 3), 128, np.uint8)
        parts = [
            image.permute(1, 2, 0).numpy(),
            gap,
            colourise(mask, scenes.palette),
            gap,
            colourise(labels, scenes.palette),
        ]
        row = Image.fromarray(np.concatenate(parts, axis=1))
        large = row.resize((3 * row.width, 3 * row.height), Image.Resampling.NEAREST)
        words = (
            f"A made scene, its true classes, and what the network says at output stride {stride}: "
            f"{right:.0%} of the pixels are right."
        )
        made[stride] = (large, words)
    return made
