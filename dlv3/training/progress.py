"""Report a training while it runs: a bar or lines of progress, metrics as JSON lines, TensorBoard."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from dlv3.evaluation import Evaluation
from dlv3.printed import printable, say
from dlv3.training.folder import RunFolder
from dlv3.training.metrics_file import MetricsFile

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Reporter:
    """Show metrics and keep them.

    Args:
        folder: where they are kept.
        iterations: length of the training.
        done: iterations done already.
        keep: bytes of the metrics file that belong to these.
        show: whether to print anything: a bar on a terminal, elsewhere a line at each log.
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
        """Count one more iteration as done."""
        self._show(self._bar.update)

    def losses(self, iteration: int, loss: float, learning_rate: float, pictures_per_second: float) -> None:
        """Report the mean loss since the last report."""
        self._keep(
            "train",
            iteration,
            dict(loss=loss, learning_rate=learning_rate, pictures_per_second=pictures_per_second),
        )
        shown = f"loss {loss:.3f}, lr {learning_rate:.2g}, {pictures_per_second:.0f} pictures/s"
        self._show(lambda: self._bar.set_postfix_str(shown))
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
        """Print a line, if anything is shown at all."""
        if self._lines:
            self._show(lambda: say(line, error=True))
        elif not self._bar.disable:
            self._show(lambda: self._bar.write(printable(line), file=sys.stderr))

    def _show(self, show: Callable[[], object]) -> None:
        """Show something; where that fails, because the terminal or the pipe is gone, the training continues."""
        try:
            show()
        except OSError:
            self._lines, self._bar.disable = False, True

    def _keep(self, kind: str, iteration: int, record: dict[str, object]) -> None:
        self._metrics.write(dict(kind=kind, iteration=iteration) | record)
        if self._board is not None:
            for name, value in record.items():
                if isinstance(value, float):
                    self._board.add_scalar(f"{kind}/{name}", value, iteration)

    def push(self) -> int:
        """Push the metrics to the disk. Returns the length of their file in bytes."""
        return self._metrics.push()

    def close(self) -> None:
        """End the bar and close the files."""
        self._show(self._bar.close)
        self._metrics.close()
        if self._board is not None:
            self._board.close()


def _summary_writer(folder: Path, done: int) -> "SummaryWriter":
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ValueError(
            "training.tensorboard=True: TensorBoard is not installed; install it with `pip install tensorboard`, or "
            "leave the option out"
        ) from error
    return SummaryWriter(str(folder), purge_step=done or None)
