"""The learner's own photo or drawing, and what the trained network makes of it."""

import base64
import html
import io
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from dlv3.course.kit.pictures import in_few_colours, png
from dlv3.course.kit.sample_photo import sample_photo
from dlv3.course.lessons.lesson00_start_here.first_look import FirstLook, Pixels, tinted
from dlv3.data.transforms import EvalTransform

SIDE = 321
"""Pixels of the longer side, to which a picture is scaled."""
_GREY, _GAP = 119, 8


class OwnPicture(widgets.VBox):
    """A button that takes a picture from the learner's computer, and the picture beside the network's answer.

    Args:
        look: the trained model, and its classes.
        every: pixels per answer at which the model runs.
    """

    def __init__(self, look: FirstLook, *, every: int = 8) -> None:
        self.look, self.every = look, every
        self.upload = widgets.FileUpload(
            accept="image/*",
            multiple=False,
            description="Choose a picture",
            layout=widgets.Layout(width="200px"),
        )
        width = 2 * SIDE + _GAP
        self.picture = widgets.Image(
            format="png",
            layout=widgets.Layout(
                width=f"{width}px",
                max_width="100%",
                height=f"{SIDE}px",
                object_fit="contain",
                flex="0 0 auto",
            ),
        )
        # The sentence has room for two lines, so that what lies below never moves.
        self.read_out = widgets.HTML(
            layout=widgets.Layout(width=f"{width}px", height="52px", flex="0 0 auto")
        )
        super().__init__([self.upload, self.picture, self.read_out])
        self.add_class("dlv3-own-picture")
        self.upload.observe(self._uploaded, names="value")
        self.sentence = ""
        self._show(sample_photo(), "The course's sample photo")

    def take(self, path: str | Path) -> None:
        """Take a picture from a file.

        Raises:
            OSError: it cannot be read as a picture.
        """
        self._show(Image.open(path), Path(path).name)

    def _uploaded(self, _change: Any) -> None:
        for file in self.upload.value:
            try:
                self._show(Image.open(io.BytesIO(bytes(file["content"]))), file["name"])
            except (UnidentifiedImageError, OSError):
                self._say(f"{file['name']} cannot be read as a picture. PNG, JPEG and WebP can.")

    def _show(self, image: Image.Image, name: str) -> None:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        pixels = np.array(ImageOps.contain(upright, (SIDE, SIDE), Image.Resampling.LANCZOS))
        labels = self.labels(pixels)
        panels = [_on_square(each) for each in (pixels, tinted(pixels, labels, self.look.scenes.palette))]
        gap = np.full((SIDE, _GAP, 3), 255, np.uint8)
        self.picture.value = png(np.concatenate([panels[0], gap, panels[1]], axis=1))
        self._say(f"{name}, and what the network sees in it: {shares(labels, self.look.scenes.classes)}.")

    def labels(self, pixels: Pixels) -> Tensor:
        """Return the class of each pixel, (H, W); the slider is put back to where it was."""
        model = self.look.model
        image, _ = EvalTransform()(
            torch.from_numpy(pixels).permute(2, 0, 1), torch.zeros(pixels.shape[:2]).long()
        )
        before = model.output_stride
        model.set_output_stride(self.every)
        try:
            with torch.inference_mode():
                labels: Tensor = model(image[None]).argmax(1)[0]
        finally:
            model.set_output_stride(before)
        return labels

    def _say(self, sentence: str) -> None:
        self.sentence = sentence
        self.read_out.value = (
            f'<div class="dlv3-read-out" role="status" aria-live="polite">{html.escape(sentence)}</div>'
        )

    def __repr__(self) -> str:
        return f"Figure: {self.sentence}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = repr(self)
        bundle["image/png"] = base64.b64encode(in_few_colours(self.picture.value)).decode()
        return bundle


def shares(labels: Tensor, classes: tuple[str, ...]) -> str:
    """Say which classes a picture holds, the largest first; small shares as `under 1%`."""
    counts = torch.bincount(labels.flatten(), minlength=len(classes)) / labels.numel()
    held = [(share, name) for share, name in zip(counts.tolist(), classes, strict=True) if share > 0]
    return ", ".join(
        f"{name} {f'{share:.0%}' if share >= 0.01 else 'under 1%'}"
        for share, name in sorted(held, reverse=True)
    )


def _on_square(pixels: Pixels) -> Pixels:
    """Put a picture on the middle of a grey square."""
    square = np.full((SIDE, SIDE, 3), _GREY, np.uint8)
    top, left = ((SIDE - side) // 2 for side in pixels.shape[:2])
    square[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return square
