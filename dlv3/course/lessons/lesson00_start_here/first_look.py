"""The pictures of the first look: scenes with the network's answers, at any position of the slider."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.image_explorer import ImageExplorer, Slider
from dlv3.course.kit.pictures import png
from dlv3.course.kit.plots import BLUE, INK, show_image
from dlv3.data.made.scenes import Scenes
from dlv3.data.palette import colourise
from dlv3.data.transforms import EvalTransform
from dlv3.deeplab import DeepLabV3

Pixels = npt.NDArray[np.uint8]
"""A picture, (H, W, 3)."""

POSITIONS = (32, 16, 8, 4)
"""The slider's positions: pixels between two neighbouring answers, the model's output stride."""


class FirstLook:
    """A trained model and scenes that it has never seen; each answer is computed once.

    Args:
        model: the network; its output stride is moved.
        scenes: the pictures with their true classes.

    Attributes:
        images: (N, 3, H, W) float, as the network takes them.
        masks: (N, H, W), the true class of each pixel.
    """

    def __init__(self, model: DeepLabV3, scenes: Scenes) -> None:
        self.model, self.scenes = model, scenes
        prepare = EvalTransform()
        prepared = [prepare(*scenes[i]) for i in range(len(scenes))]
        self.images = torch.stack([image for image, _ in prepared])
        self.masks = torch.stack([mask for _, mask in prepared])
        self._kept: dict[tuple[int, int], Tensor] = {}

    def answer(self, every: int, scene: int) -> Tensor:
        """Return the class of each pixel of one scene, (H, W), with one answer every so many pixels."""
        if (every, scene) not in self._kept:
            self.model.set_output_stride(every)
            with torch.inference_mode():
                self._kept[every, scene] = self.model(self.images[scene : scene + 1]).argmax(1)[0]
        return self._kept[every, scene]

    def answers(self, every: int) -> Tensor:
        """Return the class of each pixel of all scenes, (N, H, W)."""
        return torch.stack([self.answer(every, scene) for scene in range(len(self.scenes))])

    def samples_a_side(self, every: int) -> int:
        """Return how many answers the network gives along a side before they are upsampled to the picture."""
        self.model.set_output_stride(every)
        with torch.inference_mode():
            return self.model.coarse_logits(self.images[:1]).shape[-1]

    def picture(self, scene: int) -> Pixels:
        """Return the scene's colours."""
        pixels: Pixels = self.scenes[scene][0].permute(1, 2, 0).numpy()
        return pixels

    def explorer(self) -> ImageExplorer:
        """Make the explorer of this lesson: the slider, and the scene."""
        controls = {
            "every": Slider("Pixels per answer", POSITIONS, 16),
            "scene": Slider("Scene", range(len(self.scenes))),
        }
        title = "Scene | true classes | prediction"
        return ImageExplorer(self._render, controls, says=self._describe, title=title, width=790)

    def _render(self, every: int, scene: int) -> bytes:
        palette = self.scenes.palette
        labels, answer = (colourise(m, palette) for m in (self.masks[scene], self.answer(every, scene)))
        gap = np.full((len(labels), 4, 3), 119, np.uint8)
        return png(np.concatenate([self.picture(scene), gap, labels, gap, answer], axis=1), scale=2)

    def _describe(self, every: int, scene: int) -> str:
        answer = self.answer(every, scene)
        named = ", ".join(self.scenes.classes[c] for c in answer.unique())
        right = (answer == self.masks[scene]).float().mean()
        return f"One answer every {every} pixels: {right:.0%} of the pixels are right. The network sees: {named}."


def tinted(picture: Pixels, labels: Tensor, palette: npt.NDArray[np.uint8]) -> Pixels:
    """Return a picture in the colours of its labels; the background is darkened."""
    named = (labels != 0).numpy()[..., None]
    mixed = np.where(named, 0.35 * picture + 0.65 * colourise(labels, palette), 0.6 * picture)
    return mixed.astype(np.uint8)


def gallery(look: FirstLook, *, scenes: int = 8, every: int = 8) -> Figure:
    """Draw a row of scenes, and below it the same scenes in the colours of the network's answers."""
    above = [look.picture(i) for i in range(scenes)]
    below = [tinted(picture, look.answer(every, i), look.scenes.palette) for i, picture in enumerate(above)]
    figure, axis = plt.subplots(figsize=(10.4, 2.9))
    mosaic = np.concatenate([np.concatenate(row, axis=1) for row in (above, below)])
    show_image(axis, mosaic, "Above: pictures that the network has never seen. Below: what it makes of them")
    return figure


_LABEL = 14  # half of the widest label of a class, in pixels of the scene


def named(look: FirstLook, scene: int) -> tuple[Figure, str]:
    """Draw a scene beside its mask, each class with its number and name; return the names in a line, too."""
    (picture, mask), scenes = look.scenes[scene], look.scenes
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 4.2))
    show_image(axes[0], picture.permute(1, 2, 0), f"the scene: {tuple(picture.shape)}")
    show_image(axes[1], colourise(mask, scenes.palette), f"its mask: {tuple(mask.shape)}; black is 0")
    halo = [patheffects.withStroke(linewidth=3, foreground="black")]
    for c in mask.unique()[1:]:
        places = (mask == c).nonzero()  # (pixels, 2), row by row
        y, x = places[len(places) // 3].tolist()
        x = min(max(x, _LABEL), mask.shape[1] - 1 - _LABEL)  # the words stay on the picture
        axes[1].text(x, y, f"{c} {scenes.classes[c]}", color="white", ha="center", path_effects=halo)
    return figure, ", ".join(f"{c} {scenes.classes[c]}" for c in mask.unique())


def score_bars(scores: Mapping[int, float]) -> Figure:
    """Draw the score at each position of the slider."""
    figure, axis = plt.subplots(figsize=(6, 3.2))
    bars = axis.bar([str(every) for every in scores], list(scores.values()), color=BLUE, width=0.6)
    axis.bar_label(bars, fmt="%.0f", color=INK)
    axis.set(title="One set of weights, trained at 16 pixels per answer", ylim=(0, 100))
    axis.set(xlabel="pixels per answer at which it runs", ylabel="mIOU on 32 scenes, in %")
    axis.grid(False, axis="x")
    return figure


def side_by_side(look: FirstLook, scene: int, positions: Sequence[int]) -> Figure:
    """Draw a scene and its predictions at some positions of the slider."""
    figure, axes = plt.subplots(1, 1 + len(positions), figsize=(9, 3.3))
    show_image(axes[0], look.picture(scene), f"scene {scene}")
    for axis, every in zip(axes[1:], positions, strict=True):
        show_image(
            axis, colourise(look.answer(every, scene), look.scenes.palette), f"{every} pixels per answer"
        )
    return figure
