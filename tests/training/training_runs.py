"""Short trainings for the tests: a small network on crops of made scenes, and what two of them have in common."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from dlv3.config.presets import preset
from dlv3.config.run import RunConfig
from dlv3.evaluation import Evaluation
from dlv3.training import train
from dlv3.training.loop import Training
from dlv3.training.updates import Updater
from dlv3.weights import load_tensors


def short_run(model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    """The tiny preset on crops of 33 pixels, with every source of randomness on: scale, flips and dropout."""
    config = preset("tiny")
    options = dict(crop_size=33, scale=(0.5, 2.0), validation_interval=0) | training
    return replace(
        config,
        model=replace(config.model, **{"dropout": 0.3} | (model or {})),
        data=replace(config.data, pictures=6),
        training=replace(config.training, **options),
    )


def run_to_the_end(config: RunConfig, out: Path, *, resume: bool = False) -> Path:
    train(config, out, resume=resume, progress=False)
    return out


def final_weights(folder: Path) -> dict[str, Tensor]:
    return load_tensors(folder / "model.safetensors")[0]


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, without what depends on the clock."""
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: v for key, v in record.items() if key != "pictures_per_second"} for record in records]


def assert_same_run(folder: Path, other: Path) -> None:
    """The same weights, bit for bit, and the same metrics."""
    ours, theirs = final_weights(folder), final_weights(other)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different
    assert metrics(folder) == metrics(other)


def scored(monkeypatch: pytest.MonkeyPatch, *scores: float) -> None:
    """Have the validations find these mIOUs, by iteration / validation_interval."""

    def score(self: Training, dataset: object) -> Evaluation:
        return replace(found, miou=scores[self.state.iteration // self.training.validation_interval - 1])

    found = Evaluation(classes=("a",), iou=(0.5,), miou=0.5, pixel_accuracy=0.5)
    monkeypatch.setattr(Training, "_validate", score)


Update = Callable[[Updater, int, object], Tensor]


def change_updates(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Update, Updater, int, object], Tensor]
) -> None:
    """Put `change(update, updater, iteration, batches)` in the place of each update of a training."""
    genuine = Updater.update

    def update(self: Updater, iteration: int, batches: object) -> Tensor:
        return change(genuine, self, iteration, batches)

    monkeypatch.setattr(Updater, "update", update)
