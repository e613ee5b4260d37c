"""A training from its first update, or from where it stopped, to its last: nothing is lost on the way.

Three things make a resumed run end in the same weights as an uninterrupted one, bit for bit on a CPU: what the
network sees follows from the seed and the position (`sampling`), dropout's numbers follow from the seed and the
iteration, and all the rest (weights, running statistics, momentum, where the metrics stood) is in the checkpoint.
"""

import math
import signal
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from dlv3 import weights
from dlv3.config.run import RunConfig
from dlv3.data import SegmentationDataset
from dlv3.evaluation import Evaluation, evaluate
from dlv3.training import checkpoint
from dlv3.training.distributed import Processes
from dlv3.training.folder import RunFolder
from dlv3.training.progress import Reporter, save_predictions
from dlv3.training.schedule import learning_rate_at
from dlv3.training.stopping import Interrupted, StopRequest, TrainingStopped
from dlv3.training.updates import Updater, training_batches


class TrainingDiverged(RuntimeError):  # noqa: N818  as in other fields of numerics
    """The loss or the weights are not finite any more."""


@dataclass
class Standing:
    """How far a training is: what a checkpoint holds beside the weights and the optimizer."""

    iteration: int = 0  # updates done
    validated: int = 0  # iteration of the last validation
    metrics_bytes: int = 0  # length of the metrics file
    losses: list[float] = field(default_factory=list)  # of the updates since the last line of metrics


class Training:
    """One training.

    Args:
        config: the run's.
        updater: has the model.
        train_dataset, val_dataset: of (image, mask); None validates nothing.
        folder: where the run is kept.
        processes: this process's place.
        reporter: shows and keeps the metrics; None in all processes but the first.
        standing: where to begin.
    """

    def __init__(
        self,
        config: RunConfig,
        updater: Updater,
        train_dataset: SegmentationDataset,
        val_dataset: SegmentationDataset | None,
        folder: RunFolder,
        processes: Processes,
        reporter: Reporter | None,
        standing: Standing,
    ) -> None:
        self.config, self.training = config, config.training
        self.updater, self.train_dataset, self.val_dataset = updater, train_dataset, val_dataset
        self.folder, self.processes, self.reporter = folder, processes, reporter
        self.standing = standing
        self.evaluation: Evaluation | None = None
        self._pending: list[Tensor] = []  # losses that are still on the device
        self._clock, self._clock_at = time.perf_counter(), standing.iteration

    def run(self) -> None:
        """Train to the end.

        Raises:
            TrainingStopped: a signal came; the state is saved.
            TrainingDiverged: the loss is not finite; the last good checkpoint is kept.
            CheckpointError: a checkpoint cannot be written; the last good one is kept.
        """
        last = self.training.iterations
        with StopRequest() as stop:
            batches = training_batches(
                self.train_dataset, self.training, self.processes, self.standing.iteration
            )
            self._validate_if_due(stop)  # what a stop cut short
            while self.standing.iteration < last:
                self._pending.append(self.updater.update(self.standing.iteration, batches))
                self._advance()
                iteration = self.standing.iteration
                if iteration % self.training.log_interval == 0 or iteration == last:
                    self._log()
                if iteration % self.training.checkpoint_interval == 0 or iteration == last:
                    self._save()
                self._validate_if_due(stop)
                self._stop_if_asked(stop)
        if self.processes.first:
            weights.save(self.updater.model, self.folder.weights)
        self._save()

    def _advance(self) -> None:
        self.standing.iteration += 1
        if self.reporter is not None:
            self.reporter.advance()

    def _settle(self) -> None:
        """Fetch the losses that are still on the device, and look at each."""
        if self._pending:
            losses = self.processes.sum(torch.stack(self._pending)).tolist()
            first = self.standing.iteration - len(losses) + 1
            self._pending.clear()
            for number, loss in enumerate(losses):
                if not math.isfinite(loss):
                    self._diverged(f"the loss is {loss} at iteration {first + number}")
            self.standing.losses += losses

    def _diverged(self, what: str) -> None:
        kept = (
            f"the last good checkpoint is kept in {self.folder.checkpoint}; "
            * self.folder.checkpoint.exists()
        )
        raise TrainingDiverged(
            f"{what}; {kept}start again with a lower training.learning_rate, or a longer training.warmup"
        )

    def _log(self) -> None:
        self._settle()
        if self.reporter is not None:
            standing, now = self.standing, time.perf_counter()
            pictures = (standing.iteration - self._clock_at) * self.training.batch_size
            self.reporter.losses(
                standing.iteration,
                sum(standing.losses) / len(standing.losses),
                learning_rate_at(self.training, standing.iteration - 1),
                pictures / (now - self._clock),
            )
        self.standing.losses = []
        self._restart_clock()

    def _restart_clock(self) -> None:
        self._clock, self._clock_at = time.perf_counter(), self.standing.iteration

    def _save(self) -> None:
        self._settle()
        if not self.updater.all_finite():
            self._diverged(f"a weight is not finite after iteration {self.standing.iteration}")
        if self.reporter is not None:
            self.standing.metrics_bytes = self.reporter.push()
            checkpoint.save(asdict(self.standing) | self.updater.state(), self.folder.checkpoint)

    def _validate_if_due(self, stop: StopRequest) -> None:
        iteration, interval = self.standing.iteration, self.training.validation_interval
        due = interval and (iteration % interval == 0 or iteration == self.training.iterations)
        if not due or self.val_dataset is None or self.standing.validated >= iteration:
            return
        picture = self.folder.predictions / f"{iteration:06d}.png"
        try:
            # Several processes have to stay together, so none of them cuts its share short.
            with nullcontext() if self.processes.several else stop.interruptible():
                self.evaluation = self._evaluate()
                if self.reporter is not None:
                    save_predictions(self.updater.model, self.val_dataset, picture)
        except Interrupted:
            return  # it is done over when the run is resumed
        finally:
            self._restart_clock()
        self.standing.validated = iteration
        if self.reporter is not None:
            self.reporter.validation(iteration, self.evaluation)

    def _evaluate(self) -> Evaluation:
        return evaluate(
            self.updater.model,
            self.val_dataset,
            self.config.evaluation,
            device=self.processes.device,
            workers=self.training.workers,
            progress=False,
        )

    def _stop_if_asked(self, stop: StopRequest) -> None:
        if self.processes.several:  # all have to stop at the same iteration, and asking takes time
            at_log = self.standing.iteration % self.training.log_interval == 0
            asked = at_log and self.processes.any(stop.signal is not None)
        else:
            asked = stop.signal is not None
        if asked:
            self._save()
            raise TrainingStopped(
                f"stopped after iteration {self.standing.iteration} of {self.training.iterations}; everything is saved "
                f"in {self.folder.path}, continue with --resume",
                stop.signal or signal.SIGTERM,
            )
