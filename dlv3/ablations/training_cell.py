"""A cell of the paper's tables: a training as `dlv3 train` does it, and an evaluation."""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dlv3 import weights
from dlv3.ablations.cell import Measured
from dlv3.data import DataConfig, SegmentationDataset, open_dataset
from dlv3.data.held import Held
from dlv3.data.made import large_objects
from dlv3.data.scenes import SPLITS
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import EvaluationConfig, evaluate
from dlv3.presets import RunConfig
from dlv3.training import train
from dlv3.training.distributed import joined

TEST_SPLIT = "test"
TIME_FILE = "seconds.json"


@dataclass(frozen=True)
class TrainingCell:
    """One row, one seed: what to train, and how to evaluate it. A `Cell`."""

    table: str
    row: str
    preset: str
    seed: int
    config: RunConfig
    """Its `evaluation` says how the row is evaluated; the training does not depend on that."""

    @property
    def split(self) -> str:
        # The paper's tables are of VOC's val: its test labels are not public.
        return "val" if self.config.dataset.startswith("voc") else TEST_SPLIT

    def values(self) -> dict[str, Any]:
        """The `RunConfig`, as plain values."""
        return json.loads(self.config.to_json())

    def training_key(self) -> str:
        """See `training_key`."""
        return training_key(self.config)

    def measure(self, work: Path) -> Measured:
        """Train, unless `work` has the model already, and evaluate."""
        dataset = open_dataset(self.config.dataset, self.split, self.config.data)
        with joined(self.config.training.device) as processes:
            model, seconds = trained(self.config, work)
            model.to(processes.device)
            evaluation = evaluate(model, dataset, self.config.evaluation, progress=False)
        return Measured(
            miou=evaluation.miou,
            iou=dict(zip(evaluation.classes, evaluation.to_dict()["iou"], strict=True)),
            groups=evaluation.groups,
            seconds=round(seconds + evaluation.seconds, 1),
        )


def training_key(config: RunConfig) -> str:
    """A name for everything that a training depends on: cells that differ in the evaluation alone share it."""
    text = replace(config, evaluation=EvaluationConfig()).to_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# The made data sets that are drawn once for all trainings of a process, with their number of training pictures.
HELD = {
    "scenes": SPLITS["train"],
    "outline": large_objects.SPLITS["train"],
    "heads": large_objects.SPLITS["train"],
}


@lru_cache(maxsize=2)
def _training_pictures(dataset: str, data: DataConfig) -> SegmentationDataset | None:
    """Made pictures, drawn once for all trainings of this process; None, for `train` to open them, of all else."""
    if dataset not in HELD or data.bootstrap_copies:
        return None
    if 4 * data.size**2 * (data.pictures or HELD[dataset]) >= 2**30:  # bytes
        return None
    return Held(open_dataset(dataset, "train", data))


def trained(config: RunConfig, work: Path) -> tuple[DeepLabV3, float]:
    """The model of a configuration, trained now or taken from where it was trained before; and its wall time."""
    folder = work / training_key(config)
    finished = folder / TIME_FILE
    with joined(config.training.device) as processes:
        trained_before = finished.exists()
        processes.wait()  # all have looked before one writes
        if not trained_before:
            result = train(
                config,
                folder,
                resume=True,
                progress=False,
                train_dataset=_training_pictures(config.dataset, config.data),
            )
            if processes.first:
                _keep_weights(folder)
                finished.write_text(json.dumps({"seconds": result.seconds, "config": asdict(config)}))
            processes.wait()
    return weights.load(folder / "model.safetensors"), json.loads(finished.read_text())["seconds"]


def _keep_weights(folder: Path) -> None:
    for leftover in ("checkpoint.pt", "predictions"):  # sweeps are many runs, and these are their bulk
        path = folder / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
