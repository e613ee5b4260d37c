"""The training loop: update, log, save and validate, from the first iteration or a checkpoint's to the last.

Three things make a resumed run end in the same weights as an uninterrupted one, bit for bit on a CPU: what the
network sees follows from the seed and the position (`sampling`), dropout's numbers follow from the seed and the
iteration, and the rest (weights, running statistics, momentum, the length of the metrics) is in the checkpoint.
"""

import math
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import asdict

import torch
from torch import Tensor

from dlv3 import weights
from dlv3.config.run import RunConfig
from dlv3.data import SegmentationDataset
from dlv3.data.loading import WorkerLost, loss_in
from dlv3.data.named_classes import NamedClasses
from dlv3.evaluation import Evaluation, evaluate
from dlv3.training import checkpoint
from dlv3.training.batches import Batch, training_batches
from dlv3.training.checkpoint import TrainingState
from dlv3.training.folder import RunFolder
from dlv3.training.prediction_grid import save_predictions
from dlv3.training.progress import Reporter
from dlv3.training.schedule import learning_rate_at
from dlv3.training.stopping import Interrupted, StopRequest, TrainingStopped
from dlv3.training.updates import Updater


class TrainingDiverged(RuntimeError):  # noqa: N818  as in other fields of numerics
    """The loss or the weights are no longer finite."""


class Training:
    """One training.

    Args:
        config: the run's configuration.
        updater: holds the model.
        train_dataset, val_dataset: of (image, mask); None as the second validates nothing.
        folder: where the run is kept.
        reporter: shows and keeps the metrics; None in all processes except the first.
        state: where to begin.
    """

    def __init__(
        self,
        config: RunConfig,
        updater: Updater,
        train_dataset: SegmentationDataset,
        val_dataset: SegmentationDataset | None,
        folder: RunFolder,
        reporter: Reporter | None,
        state: TrainingState,
    ) -> None:
        self.config, self.training = config, config.training
        self.updater, self.processes = updater, updater.processes
        self.train_dataset, self.val_dataset = train_dataset, val_dataset
        self.folder, self.reporter, self.state = folder, reporter, state
        self.evaluation: Evaluation | None = None
        # Kept with the weights, for predictions in the colours of the data.
        self._classes = NamedClasses.of(train_dataset).to_metadata()
        # Options that a run is resumed with are kept when something was trained with them.
        self._config_is_kept = state.iteration == 0
        self._trained = False
        self._pending: list[Tensor] = []  # losses that are still on the device
        self._restart_clock()

    def run(self) -> None:
        """Train to the end.

        Raises:
            TrainingStopped: a signal came; the state is saved.
            TrainingDiverged: the loss is not finite; the last good checkpoint is kept.
            CheckpointError: a checkpoint cannot be written; the last good one is kept.
            WorkerLost: a process that reads pictures was killed; the state is saved where it is whole.
        """
        lost = None
        try:
            with StopRequest() as stop, closing(self._batches()) as batches:
                self._update_to_the_end(stop, batches)
        except Exception as error:
            lost = loss_in(error)
            if lost is None:
                raise
        if lost is not None:
            raise WorkerLost(f"{lost}; {self._kept(save=lost.while_loading)}")
        # First, so that a run with weights is complete: its checkpoint knows of the last validation.
        self._save()
        if self.processes.first:
            weights.save(self.updater.model, self.folder.weights, self._classes)

    def _batches(self) -> Generator[Batch]:
        return training_batches(self.train_dataset, self.training, self.processes, self.state.iteration)

    def _update_to_the_end(self, stop: StopRequest, batches: Iterator[Batch]) -> None:
        # A validation that a signal cut short is repeated here.
        self._validate_if_due(stop)
        self._stop_if_asked(stop)
        last = self.training.iterations
        while not self.state.ended(self.training):
            self._pending.append(self.updater.update(self.state.iteration, batches))
            self._advance()
            iteration = self.state.iteration
            if iteration % self.training.log_interval == 0 or iteration == last:
                self._log()
            if iteration % self.training.checkpoint_interval == 0 or iteration == last:
                self._save()
            self._validate_if_due(stop)
            self._stop_if_asked(stop)
        if self._pending or self.state.losses:  # since the last line of metrics, where it stops early
            self._log()

    def _kept(self, *, save: bool) -> str:
        """Say what is kept of a training that cannot continue.

        Args:
            save: whether the state is that after a whole update, and worth a checkpoint. With several processes it is
                not saved: the others may be gone.
        """
        if save and not self.processes.several:
            self._save()
            return f"everything up to iteration {self.state.iteration} is saved, resume with --resume"
        if self.folder.checkpoint.exists():
            return f"the last checkpoint is kept in {self.folder.checkpoint}, resume with --resume"
        return "there is no checkpoint yet"

    def _advance(self) -> None:
        self.state.iteration += 1
        self._trained = True
        if self.reporter is not None:
            self.reporter.advance()

    def _settle(self) -> None:
        """Fetch the losses that are still on the device, and check each."""
        if not self._pending:
            return
        losses: list[float] = self.processes.sum(torch.stack(self._pending)).tolist()
        first = self.state.iteration - len(losses) + 1
        self._pending.clear()
        for iteration, loss in enumerate(losses, first):
            if not math.isfinite(loss):
                self._diverged(f"the loss is {loss} at iteration {iteration}")
        self.state.losses += losses

    def _diverged(self, problem: str) -> None:
        kept = ""
        if self.folder.checkpoint.exists():
            kept = f"the last good checkpoint is kept in {self.folder.checkpoint}; "
        raise TrainingDiverged(
            f"{problem}; {kept}start again with a lower training.learning_rate, or a longer training.warmup"
        )

    def _log(self) -> None:
        self._settle()
        if self.reporter is not None:
            state, now = self.state, time.perf_counter()
            pictures = (state.iteration - self._clock_at) * self.training.batch_size
            self.reporter.losses(
                state.iteration,
                sum(state.losses) / len(state.losses),
                learning_rate_at(self.training, state.iteration - 1),
                pictures / (now - self._clock),
            )
        self.state.losses = []
        self._restart_clock()

    def _restart_clock(self) -> None:
        self._clock, self._clock_at = time.perf_counter(), self.state.iteration

    def _save(self) -> None:
        self._settle()
        if not self.updater.all_finite():
            self._diverged(f"a weight is not finite after iteration {self.state.iteration}")
        if self.reporter is not None:
            self.state.metrics_bytes = self.reporter.push()
            if not self._config_is_kept and self._trained:
                self.folder.write_config(self.config.to_json())
                self._config_is_kept = True
            checkpoint.save(asdict(self.state) | self.updater.state(), self.folder.checkpoint)

    def _validate_if_due(self, stop: StopRequest) -> None:
        iteration, interval = self.state.iteration, self.training.validation_interval
        due = interval and (iteration % interval == 0 or iteration == self.training.iterations)
        if not due or self.val_dataset is None or self.state.validated >= iteration:
            return
        try:
            # Several processes have to stay together, so none of them cuts its share short.
            with nullcontext() if self.processes.several else stop.interruptible():
                found = self._validate(self.val_dataset)
        except Interrupted:
            # The validation is repeated when the run resumes.
            return
        finally:
            self._restart_clock()
        self.evaluation, self.state.validated = found, iteration
        if self.reporter is not None:
            self.reporter.validation(iteration, found)
        self._note_best(found)

    def _note_best(self, found: Evaluation) -> None:
        """Compare a validation with the best before it, and keep the weights of a better one where asked to."""
        state = self.state
        # A score that is nan is never better.
        better = found.miou > (-1 if state.best_miou is None else state.best_miou)
        state.without_gain = 0 if better else state.without_gain + 1
        if not better:
            return
        state.best_miou, state.best_iteration = found.miou, state.iteration
        if self.training.keep_best:
            if self.processes.first:
                about = {"dlv3.iteration": str(state.iteration), "dlv3.miou": str(found.miou)}
                weights.save(self.updater.model, self.folder.best, about | self._classes)
            # The two belong together: after a kill, the checkpoint knows whose weights these are.
            self._save()

    def _validate(self, dataset: SegmentationDataset) -> Evaluation:
        found = evaluate(
            self.updater.model,
            dataset,
            self.config.evaluation,
            device=self.processes.device,
            workers=self.training.workers,
            progress=False,
        )
        if self.reporter is not None:
            picture = self.folder.predictions / f"{self.state.iteration:06d}.png"
            save_predictions(self.updater.model, dataset, picture)
        return found

    def _stop_if_asked(self, stop: StopRequest) -> None:
        if self.processes.several:
            # All have to stop at the same iteration, and asking the others takes time.
            at_log = self.state.iteration % self.training.log_interval == 0
            asked = at_log and self.processes.any(stop.signal is not None)
        else:
            asked = stop.signal is not None
        if asked:
            self._save()
            raise TrainingStopped(
                f"stopped after iteration {self.state.iteration} of {self.training.iterations}; everything is saved "
                f"in {self.folder.path}, resume with --resume",
                stop.signal or signal.SIGTERM,
            )
