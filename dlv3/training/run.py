"""Train a model from a configuration and keep the run in a folder: `train`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike

import torch

from dlv3.config.run import RunConfig
from dlv3.data import SegmentationDataset, open_dataset
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import Evaluation
from dlv3.files import is_there
from dlv3.training import checkpoint
from dlv3.training.bootstrap import bootstrap
from dlv3.training.checkpoint import TrainingState
from dlv3.training.class_weights import counted_weights
from dlv3.training.classes import keep_classes, report_classes
from dlv3.training.distributed import Processes, joined
from dlv3.training.folder import RunFolder
from dlv3.training.loop import Training
from dlv3.training.progress import Reporter
from dlv3.training.restoring import training_state
from dlv3.training.start import build_model
from dlv3.training.updates import Updater


@dataclass(frozen=True)
class TrainingResult:
    """The result of a call of `train`."""

    model: DeepLabV3
    """In evaluation mode, on the device that it was trained on. Its layers are those of `dlv3.fast.for_training`;
    `dlv3.weights.load` gives the saved model with plain ones."""
    iterations: int
    """Updates done, those before a resume included."""
    evaluation: Evaluation | None
    """The last validation of this call; None if there was none."""
    seconds: float
    """Wall time of this call."""
    first: bool = True
    """True for the process that reports: the only one, or rank 0."""
    trained: int = 0
    """Updates of this call; 0 where the run was finished before."""
    best_miou: float | None = None
    """The best of all validations of the run; None if there was none."""
    best_iteration: int = 0
    """Its iteration."""


def open_datasets(config: RunConfig) -> tuple[SegmentationDataset, SegmentationDataset | None]:
    """Open the pictures to train on, with hard ones duplicated as configured, and those to validate on.

    Raises:
        DataError: the data cannot be opened.
    """
    spec, data, channels = config.dataset, config.data, config.model.in_channels
    train_dataset = bootstrap(open_dataset(spec, "train", data, channels), data)
    validates = config.training.validation_interval > 0
    return train_dataset, open_dataset(spec, "val", data, channels) if validates else None


def train(
    config: RunConfig,
    out: str | PathLike[str],
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    train_dataset: SegmentationDataset | None = None,
    val_dataset: SegmentationDataset | None = None,
) -> TrainingResult:
    """Train a model and keep the run in a folder: config.json, metrics.jsonl, checkpoint.pt, model.safetensors.

    Under torchrun all processes call it with the same arguments (see `distributed`); `out` is then a folder that all
    of them can reach.

    Args:
        config: everything that the training depends on, such as `dlv3.config.presets.preset("laptop")`.
        out: the run's folder, which is made.
        resume: resume from the folder's checkpoint, or begin if there is none. The configuration has to be the one
            of the run, except for lengths and for what does not change the weights.
        overwrite: replace the run that is in the folder, which is removed when the new one is complete.
        progress: whether to show a bar (on a terminal) or lines of progress (elsewhere).
        train_dataset, val_dataset: instead of those that `config.dataset` names. Without the second nothing is
            validated.

    Returns:
        The trained model and its last validation.

    Raises:
        ValueError: the configuration, the data or the folder cannot be used; says what and why.
        OSError: a file cannot be written.
        TrainingStopped: Ctrl-C or SIGTERM came; the state is saved.
        TrainingDiverged: the loss is not finite; the last good checkpoint is kept.
    """
    started = time.perf_counter()
    if train_dataset is None:
        train_dataset, val_dataset = open_datasets(config)
    check_data(config, train_dataset, val_dataset)
    with joined(config.training.device) as processes, _callers_settings_kept(processes):
        folder = RunFolder(out)
        if processes.first:
            # Before the labels are counted, which takes minutes where they are many.
            folder.require_free(resume=resume, overwrite=overwrite)
        report_classes(train_dataset, config.dataset, show=progress and processes.first)
        with _held(folder, processes, resume=resume, overwrite=overwrite):
            state, updater = _begin(config, folder, processes, train_dataset, resume=resume)
            begun = state.iteration
            evaluation = None
            # The options of a finished run stay as they were: nothing was trained with others.
            if not (state.ended(config.training) and folder.weights.exists()) or overwrite:
                evaluation = _run(
                    config, folder, updater, state, (train_dataset, val_dataset), overwrite, progress
                )
            elif processes.first:
                # Left by a process that was killed when the run was complete.
                folder.drop_replaced()
    seconds = time.perf_counter() - started
    return TrainingResult(
        updater.model.eval(),
        state.iteration,
        evaluation,
        seconds,
        processes.first,
        trained=state.iteration - begun,
        best_miou=state.best_miou,
        best_iteration=state.best_iteration,
    )


@contextmanager
def _held(folder: RunFolder, processes: Processes, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Make the folder and lock it. The first process does it for all."""
    if processes.first:
        folder.create(resume=resume, overwrite=overwrite)
        with folder.locked(may_hold_a_run=resume or overwrite):
            processes.wait()
            yield
    else:
        processes.wait()
        yield


def _run(
    config: RunConfig,
    folder: RunFolder,
    updater: Updater,
    state: TrainingState,
    datasets: tuple[SegmentationDataset, SegmentationDataset | None],
    overwrite: bool,
    progress: bool,
) -> Evaluation | None:
    """Train, and return the last validation. A run that is replaced is removed last, when the new one is complete.

    If the new one ends before its first checkpoint, the old one is put back. If it fails before its first update, and
    there was no run, the folder is as it was.
    """
    first, reporter, begun = updater.processes.first, None, folder.in_use
    try:
        if first:
            if overwrite:
                folder.set_aside()
            if state.iteration == 0:
                folder.write_config(config.to_json())
            reporter = Reporter(
                folder,
                config.training.iterations,
                state.iteration,
                state.metrics_bytes,
                show=progress,
                tensorboard=config.training.tensorboard,
            )
        training = Training(config, updater, *datasets, folder, reporter, state)
        training.run()
    except BaseException:
        if reporter is not None:
            reporter.close()
        if first and not folder.checkpoint.exists():
            if overwrite:
                folder.put_back()
            elif not begun and state.iteration == 0:
                folder.remove_beginnings()
        raise
    if reporter is not None:
        reporter.close()
        folder.drop_replaced()
    return training.evaluation


def _begin(
    config: RunConfig,
    folder: RunFolder,
    processes: Processes,
    train_dataset: SegmentationDataset,
    *,
    resume: bool,
) -> tuple[TrainingState, Updater]:
    """Build the model: fresh, or as the folder's checkpoint has it. Nothing in the folder changes.

    Raises:
        ValueError: the run is finished and cannot be resumed, because its checkpoint was removed.
    """
    continues = resume and is_there(folder.checkpoint)
    if resume and folder.weights.exists() and not continues:
        raise ValueError(
            f"{folder.path}: holds a finished run without its checkpoint.pt, from which --resume continues; replace "
            "the run with --overwrite, or start another from it with training.initial_weights"
        )
    saved = checkpoint.load(folder.checkpoint) if continues else None
    state = TrainingState.at_start()
    if saved is not None:
        state = training_state(saved, config.training.iterations, folder.checkpoint)
    keep_classes(train_dataset, state, config.dataset, folder.checkpoint)
    state.class_weights = counted_weights(config.training, train_dataset, state.class_weights)
    class_weights = config.training.class_weights or state.class_weights
    updater = Updater(build_model(config, load=saved is None), config.training, processes, class_weights)
    if saved is not None:
        updater.restore(saved, folder.checkpoint)
    if config.training.keep_best and not folder.best.exists():
        # Its weights were not kept: the best is looked for among those to come.
        state.best_miou, state.best_iteration = None, 0
    return state, updater


def check_data(
    config: RunConfig, train_dataset: SegmentationDataset, val_dataset: SegmentationDataset | None
) -> None:
    """Check that the configuration fits the data.

    Raises:
        ValueError: it does not; says what and why.
    """
    training = config.training
    if (training.keep_best or training.patience) and not val_dataset:
        raise ValueError(
            "training.keep_best and training.patience: there are no validation pictures to compare by; give some"
        )
    weights = training.class_weights
    if weights and len(weights) != train_dataset.num_classes:
        raise ValueError(
            f"training.class_weights={weights!r}: expected {train_dataset.num_classes} numbers, one for each class: "
            f"{', '.join(train_dataset.classes)}"
        )
    if len(train_dataset) == 0:
        raise ValueError(
            f"data {config.dataset!r}: has no training pictures; give a data set with at least 1"
        )
    if train_dataset.num_classes != config.model.num_classes:
        raise ValueError(
            f"model.num_classes={config.model.num_classes}: the data set {config.dataset!r} has "
            f"{train_dataset.num_classes} classes; give that number"
        )


@contextmanager
def _callers_settings_kept(processes: Processes) -> Iterator[None]:
    """Leave the caller's random numbers and cuDNN's settings as they were."""
    cuda = processes.device.type == "cuda"
    # All crops have one size, so trying cuDNN's algorithms once pays off. Its deterministic mode can make atrous
    # convolutions many times slower.
    kernels = torch.backends.cudnn.flags(benchmark=True, deterministic=False, allow_tf32=True)
    with torch.random.fork_rng(devices=[processes.device] if cuda else []), kernels:
        yield
