"""A training to watch, and to look back on: two curves, and one scene as the network sees it.

    board = TrainingBoard(scenes, iterations=240, every=12)
    display(board)
    ...                                                  # in the training, every 12 updates:
    board.record(updates, losses, miou, predictions)     # the slider moves by itself

The records stay: during the training and after it, the slider goes back through them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from dlv3.course.kit.image_explorer import ImageExplorer, Slider
from dlv3.course.kit.pictures import figure_png
from dlv3.course.kit.plots import BLUE, INK, ORANGE
from dlv3.data import SegmentationDataset
from dlv3.data.palette import colourise

_SIZE = (7.5, 5.2)  # inches; at 96 dpi as wide as an explorer's picture


@dataclass(frozen=True)
class Snapshot:
    """The state of a training after some updates: mIOU from 0 to 1, and predictions (N, H, W) uint8."""

    miou: float
    predictions: npt.NDArray[np.uint8]


class TrainingBoard(ImageExplorer):
    """Loss, mIOU and a scene's prediction at regular intervals of a training.

    Args:
        dataset: the pictures to predict, all of one size.
        iterations: updates of the whole training.
        every: updates between two records; divides `iterations`.
        scenes: how many of the pictures can be chosen, from the first.

    Raises:
        ValueError: `every` does not divide `iterations`.
    """

    def __init__(self, dataset: SegmentationDataset, *, iterations: int, every: int, scenes: int = 6) -> None:
        if every < 1 or iterations % every:
            raise ValueError(f"every={every}: expected a divisor of iterations={iterations}")
        self.iterations, self.every = iterations, every
        self.losses: list[float] = []
        self.snapshots: dict[int, Snapshot] = {}
        self._dataset = dataset
        self._figure, self._axes = _panels(iterations)
        controls = {
            "updates": Slider("After updates", range(0, iterations + 1, every)),
            "scene": Slider("Scene", range(scenes)),
        }
        super().__init__(self._draw, controls, says=self._words, title="The training as it runs", width=720)

    def clear(self) -> None:
        """Forget everything recorded, and go back to the start."""
        self.losses, self.snapshots = [], {}
        self.set(updates=0)
        self._redraw(None)

    def record(self, updates: int, losses: Sequence[float], miou: float, predictions: Tensor) -> None:
        """Keep the state of the training, and show it.

        Args:
            updates: how many were made, a multiple of `every`.
            losses: of all updates so far.
            miou: from 0 to 1.
            predictions: (N, H, W) class numbers, of the data set's first pictures.
        """
        self.losses = list(losses)
        self.snapshots[updates] = Snapshot(miou, predictions.to("cpu").numpy().astype(np.uint8))
        if self.values["updates"] == updates:
            self._redraw(None)
        else:
            self.set(updates=updates)

    def _shown(self, updates: int) -> int | None:
        """Return the number of updates of the last snapshot at or before these."""
        return max((number for number in self.snapshots if number <= updates), default=None)

    def _words(self, updates: int, scene: int) -> str:
        shown = self._shown(updates)
        if shown is None:
            return f"Nothing is trained yet; scene {scene} waits for its prediction."
        words = f"After {shown} of {self.iterations} updates: mIOU {100 * self.snapshots[shown].miou:.0f}%"
        recent = self.losses[max(shown - self.every, 0) : shown]
        if recent:
            words += f", loss {sum(recent) / len(recent):.2f} over the last {len(recent)}"
        truth = self._dataset[scene][1].numpy()
        right = (self.snapshots[shown].predictions[scene] == truth)[truth != 255].mean()
        words += f"; in scene {scene}, {right:.0%} of the pixels are right."
        return words if shown == updates else f"{words} The training has not come to {updates} yet."

    def _draw(self, updates: int, scene: int) -> bytes:
        axes, shown = self._axes, self._shown(updates)
        image, truth = self._dataset[scene]
        axes["picture"].images[0].set_data(image.permute(1, 2, 0).numpy())
        axes["truth"].images[0].set_data(colourise(truth.numpy(), self._dataset.palette))
        prediction = np.full((*truth.shape, 3), 119, np.uint8)
        if shown is not None:
            prediction = colourise(self.snapshots[shown].predictions[scene], self._dataset.palette)
        axes["prediction"].images[0].set_data(prediction)
        axes["loss"].lines[0].set_data(np.arange(1, len(self.losses) + 1), self.losses)
        taken = sorted(self.snapshots)
        axes["miou"].lines[0].set_data(taken, [100 * self.snapshots[number].miou for number in taken])
        for name in ("loss", "miou"):
            axes[name].lines[1].set_xdata([updates, updates])
        return figure_png(self._figure)


def _panels(iterations: int) -> tuple[Figure, dict[str, Axes]]:
    """Make the figure once: two empty curves with a reading line each, above three pictures."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    # Places are fixed, and a figure without any layout engine gets the style's when it is saved.
    figure.set_layout_engine("none")
    axes = {
        "loss": figure.add_axes((0.075, 0.62, 0.4, 0.31)),
        "miou": figure.add_axes((0.585, 0.62, 0.4, 0.31)),
    }
    for name, colour, marker, top in (("loss", BLUE, "", 2.2), ("miou", ORANGE, "s", 70)):
        axes[name].plot([], [], color=colour, marker=marker, linestyle="-", lw=1.4, ms=4)
        axes[name].axvline(0, color=INK, lw=1, ls="--", marker="")
        axes[name].set(xlim=(-2, iterations + 2), ylim=(0, top), xlabel="updates")
    axes["loss"].set(title="Loss of each update")
    axes["miou"].set(title="mIOU on held-back scenes", ylabel="%")
    names = {"picture": "the scene", "truth": "its true classes", "prediction": "the network's answer"}
    for column, (name, title) in enumerate(names.items()):
        axes[name] = figure.add_axes((0.02 + 0.33 * column, 0.01, 0.3, 0.43))
        axes[name].imshow(np.zeros((2, 2, 3), np.uint8), extent=(0, 1, 0, 1))
        axes[name].set(title=title, xticks=[], yticks=[])
        axes[name].grid(False)
    return figure, axes
