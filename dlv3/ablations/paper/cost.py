"""The time that runs on photos will take, from a few real updates and evaluated pictures of each kind of run."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from dlv3.ablations.paper.cell import TrainingCell, is_trained, training_key
from dlv3.config.run import RunConfig
from dlv3.data import SegmentationDataset
from dlv3.evaluation import EvaluationConfig, evaluate
from dlv3.training.batches import Batch, training_batches
from dlv3.training.distributed import joined
from dlv3.training.start import build_model
from dlv3.training.updates import Updater

UPDATES = 2
"""Timed, after one more that is not: the first sets up what the others reuse."""
PICTURES = 2
"""Evaluated for the time of one."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of each cell; a training is counted where it is first needed."""

    seconds: tuple[float, ...]
    trainings: int

    @property
    def total(self) -> float:
        """Seconds of all, one after another."""
        return sum(self.seconds)

    def about(self, jobs: int = 1) -> str:
        """Return a line on the cost of all runs."""
        if not self.seconds:
            return "nothing left to run"
        each = [shown(seconds) for seconds in (min(self.seconds), max(self.seconds))]
        range_of = each[0] if each[0] == each[1] else f"{each[0]} to {each[1]}"
        several = f" in {jobs} processes, if each has cores of its own" if jobs > 1 else ""
        return (
            f"{len(self.seconds)} runs of {self.trainings} trainings, {range_of} each: about "
            f"{shown(self.total / jobs)} in all{several}"
        )


def shown(seconds: float) -> str:
    """Return a duration in words, such as "40 s", "35 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def estimate(
    cells: Sequence[TrainingCell],
    train: SegmentationDataset,
    val: SegmentationDataset,
    work: Path,
    *,
    progress: bool = True,
) -> Estimate:
    """Time each distinct training and evaluation, and return the cells' seconds.

    Args:
        cells: those that are not recorded.
        train, val: the pictures.
        work: the folder of the trainings; those that are finished there cost nothing.
        progress: whether to show a bar, on a terminal.

    Raises:
        ValueError: pretrained weights of another network, or a device that this machine does not have.
        FileNotFoundError: the weights do not exist.
    """
    kinds: dict[str, list[TrainingCell]] = {}
    for cell in cells:
        kinds.setdefault(_kind(cell.config), []).append(cell)
    of_update: dict[str, float] = {}
    of_picture: dict[tuple[str, EvaluationConfig], float] = {}
    shows = None if progress else True
    for kind, of_kind in tqdm(kinds.items(), desc="estimate", unit="training", disable=shows, leave=False):
        evaluations = list(dict.fromkeys(cell.config.evaluation for cell in of_kind))
        of_update[kind], pictures = _timed(of_kind[0].config, evaluations, train, val)
        of_picture |= {(kind, config): s for config, s in zip(evaluations, pictures, strict=True)}
    seconds, counted = [], set()
    for cell in cells:
        kind, key = _kind(cell.config), cell.training_key()
        of_cell = of_picture[kind, cell.config.evaluation] * len(val)
        if key not in counted and not is_trained(cell.config, work):
            counted.add(key)
            of_cell += of_update[kind] * cell.config.training.iterations
        seconds.append(of_cell)
    return Estimate(tuple(seconds), len(counted))


def _kind(config: RunConfig) -> str:
    """Return a name for what the time of an update depends on."""
    return training_key(replace(config, training=replace(config.training, seed=0, iterations=1, warmup=0)))


def _timed(
    config: RunConfig,
    evaluations: Sequence[EvaluationConfig],
    train: SegmentationDataset,
    val: SegmentationDataset,
) -> tuple[float, list[float]]:
    """Return the seconds of an update, and of one picture for each way to evaluate. Nothing is kept."""
    # In one process: starting others for a few batches would take longer than the batches.
    training = replace(config.training, iterations=1 + UPDATES, workers=0, compile=False)
    with joined(training.device) as processes, torch.random.fork_rng():
        updater = Updater(build_model(config), training, processes, training.class_weights)
        batches = training_batches(train, training, processes)
        updater.update(0, batches).item()
        # The fastest: whatever else the machine does makes others slower.
        of_update = min(_seconds_of(updater, 1 + iteration, batches) for iteration in range(UPDATES))
        first = _First(val)
        found = [evaluate(updater.model, first, config, progress=False) for config in evaluations]
    return of_update, [evaluation.seconds / len(first) for evaluation in found]


def _seconds_of(updater: Updater, iteration: int, batches: Iterator[Batch]) -> float:
    started = time.perf_counter()
    updater.update(iteration, batches).item()  # which waits for the device
    return time.perf_counter() - started


class _First:
    """The first pictures of a data set."""

    def __init__(self, dataset: SegmentationDataset) -> None:
        self._dataset, self.classes = dataset, dataset.classes

    def __len__(self) -> int:
        return min(PICTURES, len(self._dataset))

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self._dataset[index]
