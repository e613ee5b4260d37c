"""A cell of the paper's tables: a training as `dlv3 train` does it, and an evaluation."""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from dlv3 import weights
from dlv3.ablations.cell import Cell, Measured, fingerprint, none_for_nan, without_later_fields, without_nan
from dlv3.ablations.paper.ceiling import CEILING, sampling_ceiling
from dlv3.config.run import RunConfig
from dlv3.data import DataConfig, SegmentationDataset, Split, open_dataset
from dlv3.data.held import Held
from dlv3.data.made import large_objects
from dlv3.data.made.scenes import SPLITS
from dlv3.deeplab import DeepLabV3
from dlv3.evaluation import EvaluationConfig, evaluate
from dlv3.files import write_atomically
from dlv3.training.distributed import joined
from dlv3.training.run import train
from dlv3.typed_json import read_object, value_of

TIME_FILE = "seconds.json"


@dataclass(frozen=True)
class TrainingCell(Cell[RunConfig]):
    """One row with one seed. `config.evaluation` says how it is evaluated; the training does not depend on that."""

    @property
    def split(self) -> Split:
        """The split that is scored: "test" of made data, and "val" of photos.

        VOC's test labels are not public, and the paper scores on val too.
        """
        return "val" if self.config.dataset.startswith(("voc", "folder")) else "test"

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
        groups = dict(evaluation.groups)
        if is_folder(self.config.dataset):
            # Kept with the record, so that a report needs no photo.
            stride = self.config.evaluation.output_stride or self.config.model.output_stride
            groups[CEILING] = _folder_ceiling(self.config.dataset, self.split, self.config.data, stride)
        pairs = zip(evaluation.classes, evaluation.iou, strict=True)
        return Measured(
            miou=evaluation.miou,
            iou=none_for_nan(dict(pairs)),
            groups=without_nan(groups),
            seconds=round(seconds + evaluation.seconds, 1),
        )


def is_folder(dataset: str) -> bool:
    """Return whether a data set is the user's own folder."""
    return dataset.partition(":")[0] == "folder"


@lru_cache(maxsize=8)
def _folder_ceiling(dataset: str, split: Split, data: DataConfig, output_stride: int) -> float:
    return sampling_ceiling(open_dataset(dataset, split, data), output_stride)


def training_key(config: RunConfig) -> str:
    """Return a name for everything that a training depends on: rows that differ in the evaluation alone share it."""
    values = json.loads(replace(config, evaluation=EvaluationConfig()).to_json())
    return fingerprint(json.dumps(without_later_fields(values), indent=2) + "\n")


# The made data sets that are drawn once for all trainings of a process, with their number of training pictures.
HELD = {
    "scenes": SPLITS["train"],
    "outline": large_objects.SPLITS["train"],
    "heads": large_objects.SPLITS["train"],
}


@lru_cache(maxsize=2)
def _training_pictures(dataset: str, data: DataConfig) -> SegmentationDataset | None:
    """Return made pictures, drawn once for all trainings of this process.

    Returns:
        The pictures, or None where `train` has to open them itself: other data sets, or too many pictures to keep.
    """
    if dataset not in HELD or data.bootstrap_copies:
        return None
    if 4 * data.size**2 * (data.pictures or HELD[dataset]) >= 2**30:  # bytes
        return None
    return Held(open_dataset(dataset, "train", data))


def is_trained(config: RunConfig, work: Path) -> bool:
    """Return whether a training is finished."""
    return (work / training_key(config) / TIME_FILE).exists()


def trained(config: RunConfig, work: Path) -> tuple[DeepLabV3, float]:
    """Return the model of a configuration, trained now or loaded from an earlier training, and its wall time."""
    folder = work / training_key(config)
    finished = folder / TIME_FILE
    with joined(config.training.device) as processes:
        trained_before = is_trained(config, work)
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
                about = {"seconds": result.seconds, "config": asdict(config)}
                write_atomically(finished, json.dumps(about).encode())
            processes.wait()
        if processes.first:
            # Now that it is finished, and again where a kill came in between.
            _keep_weights(folder)
    time = read_object(finished, "the time of a training").get("seconds")
    seconds: float = value_of(float, time, f"{finished}: seconds")
    return weights.load(folder / "model.safetensors"), seconds


def _keep_weights(folder: Path) -> None:
    """Remove what only a training needs: a sweep has many of them, and these files are most of its space."""
    for leftover in ("checkpoint.pt", "predictions"):
        path = folder / leftover
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
