"""What a training shows and keeps while it goes: a bar, metrics as JSON lines, TensorBoard, pictures."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tqdm.auto import tqdm

from dlv3.data.palette import colourise
from dlv3.data.transforms import EvalTransform
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import Evaluation, predict_labels
from dlv3.training.folder import MetricsFile, RunFolder

_GAP = 4  # pixels between the tiles of a picture of predictions


class Reporter:
    """Shows and keeps metrics.

    Args:
        folder: where they are kept.
        iterations: length of the training.
        done: iterations done already.
        keep: bytes of the metrics file that belong to these.
        show: whether to print anything. On a terminal that is a bar, elsewhere a line at each log.
        tensorboard: whether to write for TensorBoard too.

    Raises:
        ValueError: TensorBoard is not installed.
    """

    def __init__(
        self, folder: RunFolder, iterations: int, done: int, keep: int, *, show: bool, tensorboard: bool
    ) -> None:
        self._started = time.monotonic()
        self._iterations, self._done = iterations, done
        self._metrics = MetricsFile(folder.metrics, keep)
        self._board = _summary_writer(folder.tensorboard, done) if tensorboard else None
        self._lines = show and not sys.stderr.isatty()
        self._bar = tqdm(
            total=iterations, initial=done, unit="it", disable=not show or self._lines, dynamic_ncols=True
        )

    def advance(self) -> None:
        """One more iteration is done."""
        self._bar.update()

    def losses(self, iteration: int, loss: float, learning_rate: float, pictures_per_second: float) -> None:
        """Report the mean loss since the last report."""
        record = dict(loss=loss, learning_rate=learning_rate, pictures_per_second=pictures_per_second)
        self._keep("train", iteration, record)
        self._bar.set_postfix_str(
            f"loss {loss:.3f}, lr {learning_rate:.2g}, {pictures_per_second:.0f} pictures/s"
        )
        if self._lines:
            left = tqdm.format_interval(self._seconds_left(iteration))
            self.say(
                f"iteration {iteration}/{self._iterations}  loss {loss:.4f}  lr {learning_rate:.3g}  "
                f"{pictures_per_second:.0f} pictures/s  {left} left"
            )

    def _seconds_left(self, iteration: int) -> float:
        elapsed = time.monotonic() - self._started
        return elapsed / max(iteration - self._done, 1) * (self._iterations - iteration)

    def validation(self, iteration: int, found: Evaluation) -> None:
        """Report a validation: mIOU, each class's IOU and the data set's own groups of classes, 0 to 1."""
        iou = dict(zip(found.classes, found.iou, strict=True))
        self._keep("validation", iteration, dict(miou=found.miou, iou=iou, groups=dict(found.groups)))
        groups = "".join(f", {name} {100 * score:.2f}%" for name, score in found.groups.items())
        self.say(f"iteration {iteration}: validation mIOU {100 * found.miou:.2f}%{groups}")

    def say(self, line: str) -> None:
        """Print a line, where anything is shown at all."""
        if self._lines:
            print(line, file=sys.stderr, flush=True)
        elif not self._bar.disable:
            self._bar.write(line, file=sys.stderr)

    def _keep(self, kind: str, iteration: int, record: dict[str, Any]) -> None:
        self._metrics.write(dict(kind=kind, iteration=iteration) | record)
        if self._board is not None:
            for name, value in record.items():
                if isinstance(value, float):
                    self._board.add_scalar(f"{kind}/{name}", value, iteration)

    def push(self) -> int:
        """Push the metrics to the disk. Returns the length of their file in bytes."""
        return self._metrics.push()

    def close(self) -> None:
        self._bar.close()
        self._metrics.close()
        if self._board is not None:
            self._board.close()


def _summary_writer(folder: Path, done: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "training.tensorboard: TensorBoard is not installed; `pip install tensorboard`, or leave the option out"
        ) from error
    return SummaryWriter(str(folder), purge_step=done or None)


def save_predictions(model: DeepLabV3, dataset: Any, path: Path, *, pictures: int = 4) -> None:
    """Write one PNG with a row for each of the first few pictures: picture, labels, prediction.

    Args:
        model: on any device.
        dataset: of (image, mask), with a palette.
        path: the file.
        pictures: rows at most.
    """
    transform, rows = EvalTransform(), []
    device = next(model.parameters()).device
    for index in range(min(pictures, len(dataset))):
        image, mask = dataset[index]
        images, _ = transform(image)
        prediction = predict_labels(model, images[None].to(device))[0].to("cpu", torch.uint8)  # (H, W)
        photo = np.asarray(image).transpose(1, 2, 0)  # (H, W, 3)
        rows.append(
            [photo, colourise(np.asarray(mask), dataset.palette), colourise(prediction, dataset.palette)]
        )
    path.parent.mkdir(exist_ok=True)
    _grid(rows).save(path)


def _grid(rows: list[list[np.ndarray]]) -> Image.Image:
    """Tiles of (H, W, 3), all of one size within a row, on white."""
    width = max(sum(tile.shape[1] + _GAP for tile in row) for row in rows) - _GAP
    height = sum(row[0].shape[0] + _GAP for row in rows) - _GAP
    grid = Image.new("RGB", (width, height), "white")
    top = 0
    for row in rows:
        left = 0
        for tile in row:
            grid.paste(Image.fromarray(tile), (left, top))
            left += tile.shape[1] + _GAP
        top += row[0].shape[0] + _GAP
    return grid
