"""The options of `dlv3 ablate --data`: those of `dlv3 train`, without what the tables' rows decide."""

from dataclasses import dataclass, fields
from typing import Literal

import tyro

from dlv3.ablations.paper.configure import base_of
from dlv3.config.data import DataConfig, Year
from dlv3.config.training import TrainingConfig


@dataclass(frozen=True)
class FolderOptions(DataConfig):
    """The options of a folder under their own names, `--ignore 11`; those of other data sets are not shown."""

    size: tyro.conf.Suppress[int] = 129
    scene_cue: tyro.conf.Suppress[bool] = True
    pictures: tyro.conf.Suppress[int | None] = None
    seed: tyro.conf.Suppress[int] = 0
    voc_train: tyro.conf.Suppress[Literal["train", "trainaug", "trainval"]] = "trainaug"
    year: tyro.conf.Suppress[Year] = "2012"
    sbd: tyro.conf.Suppress[str | None] = None


@dataclass(frozen=True)
class TableTraining(TrainingConfig):
    """The schedule of all rows. What a table's rows differ in, and what looks at the scored split, is not shown."""

    freeze_batch_norm: tyro.conf.Suppress[bool] = False
    downsample_labels: tyro.conf.Suppress[bool] = False
    auxiliary_weight: tyro.conf.Suppress[float] = 0.5
    initial_weights: tyro.conf.Suppress[str | None] = None
    seed: tyro.conf.Suppress[int] = 0
    validation_interval: tyro.conf.Suppress[int] = 0
    keep_best: tyro.conf.Suppress[bool] = False
    patience: tyro.conf.Suppress[int] = 0

    @classmethod
    def of(cls, preset_name: str) -> "TableTraining":
        """Return the schedule of a preset's tables."""
        values = {f.name: getattr(base_of(preset_name).training, f.name) for f in fields(TrainingConfig)}
        return cls(**values | {"validation_interval": 0})

    def config(self) -> TrainingConfig:
        """Return the schedule as a training's own options."""
        return TrainingConfig(**{f.name: getattr(self, f.name) for f in fields(TrainingConfig)})
