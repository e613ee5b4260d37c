"""Run a table's cells: each training once, each evaluation recorded, and nothing done twice."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dlv3 import weights
from dlv3.ablations.configure import Cell
from dlv3.ablations.results import Record, surroundings
from dlv3.data import DataConfig, SegmentationDataset, open_dataset
from dlv3.data.held import Held
from dlv3.data.scenes import SPLITS
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import EvaluationConfig, evaluate
from dlv3.presets import RunConfig

TEST_SPLIT = "test"
TIME_FILE = "seconds.json"


def training_key(config: RunConfig) -> str:
    """A name for everything that a training depends on: cells that differ in the evaluation alone share it."""
    text = replace(config, evaluation=EvaluationConfig()).to_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shard_of(cells: list[Cell], index: int, count: int) -> list[Cell]:
    """The cells that machine `index` of `count` runs (from 1); cells that share a training go to one machine."""
    keys = list(dict.fromkeys(training_key(cell.config) for cell in cells))
    mine = set(keys[index - 1 :: count])
    return [cell for cell in cells if training_key(cell.config) in mine]


def is_done(cell: Cell, results: Path) -> bool:
    """Whether the cell's record is there and of the same configuration."""
    path = record_of(cell).path(results)
    if not path.exists():
        return False
    recorded = json.loads(path.read_text())["config"]
    return recorded == json.loads(cell.config.to_json())


def run(
    cells: list[Cell],
    results: Path,
    work: Path,
    *,
    progress: bool = True,
    report: Callable[[Record], None] = lambda record: None,
) -> list[Record]:
    """Train and evaluate what is not recorded yet. Stopped at any time, it goes on there when called again.

    Args:
        cells: of one or more tables.
        results: records go there, see `Record.path`.
        work: the trainings' own folders; a training that several cells share is kept there.
        progress: whether to show a bar.
        report: called with each new record.

    Returns:
        The new records.
    """
    waiting = [cell for cell in cells if not is_done(cell, results)]
    records = []
    with tqdm(waiting, desc="ablate", unit="run", disable=None if progress else True) as bar:
        for cell in bar:
            bar.set_postfix_str(f"{cell.table} {cell.row}, seed {cell.seed}")
            record = _run_cell(cell, work)
            record.write(results)
            records.append(record)
            report(record)
    return records


def _run_cell(cell: Cell, work: Path) -> Record:
    model, seconds = trained(cell.config, work)
    dataset = open_dataset(cell.config.dataset, _scored_split(cell.config), cell.config.data)
    evaluation = evaluate(model, dataset, cell.config.evaluation, progress=False)
    return record_of(
        cell,
        miou=evaluation.miou,
        iou=dict(zip(evaluation.classes, evaluation.to_dict()["iou"], strict=True)),
        groups=evaluation.groups,
        seconds=round(seconds + evaluation.seconds, 1),
        **surroundings(),
    )


def record_of(cell: Cell, **measured: Any) -> Record:
    """The cell's record; without measurements, what names it and says how it was made."""
    nothing = dict(miou=float("nan"), iou={}, groups={}, device="", versions={}, commit="", seconds=0.0)
    return Record(
        table=cell.table,
        row=cell.row,
        preset=cell.preset,
        seed=cell.seed,
        split=_scored_split(cell.config),
        config=json.loads(cell.config.to_json()),
        **(nothing | measured),
    )


def _scored_split(config: RunConfig) -> str:
    # The paper's tables are of VOC's val: its test labels are not public.
    return "val" if config.dataset.startswith("voc") else TEST_SPLIT


@lru_cache(maxsize=2)
def _training_pictures(dataset: str, data: DataConfig) -> SegmentationDataset | None:
    """Made scenes, drawn once for all trainings of this process; None, for `train` to open them, of all else."""
    small = 4 * data.size**2 * (data.pictures or SPLITS["train"]) < 2**30  # bytes
    if dataset != "scenes" or data.bootstrap_copies or not small:
        return None
    return Held(open_dataset(dataset, "train", data))


def trained(config: RunConfig, work: Path) -> tuple[DeepLabV3, float]:
    """The model of a configuration, trained now or taken from where it was trained before; and its wall time."""
    from dlv3.training import train

    folder = work / training_key(config)
    finished = folder / TIME_FILE
    if finished.exists():
        return weights.load(folder / "model.safetensors"), json.loads(finished.read_text())["seconds"]
    started = time.perf_counter()
    train(
        config,
        folder,
        resume=True,
        progress=False,
        train_dataset=_training_pictures(config.dataset, config.data),
    )
    seconds = time.perf_counter() - started
    finished.write_text(json.dumps({"seconds": seconds, "config": asdict(config)}))
    for leftover in ("checkpoint.pt", "predictions"):  # sweeps are many runs, and these are their bulk
        path = folder / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return weights.load(folder / "model.safetensors"), seconds
