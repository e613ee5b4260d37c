"""`train` from a configuration to the trained model that it returns and keeps."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_runs import short_run

from dlv3 import weights
from dlv3.data import Scenes
from dlv3.training import train
from dlv3.training.run import open_datasets


def test_final_weights_load_as_the_model(finished: Path):
    model = weights.load(finished / "model.safetensors")
    assert model(torch.zeros(1, 3, 33, 33)).shape == (1, 8, 33, 33)
    state = torch.load(finished / "checkpoint.pt", weights_only=True)
    assert all(torch.equal(t, state["model"][name]) for name, t in model.state_dict().items())


def test_result_is_the_trained_model_and_its_last_validation(tmp_path: Path):
    result = train(short_run(iterations=2, validation_interval=2), tmp_path / "run", progress=False)
    assert (result.iterations, result.first) == (2, True)
    assert not result.model.training
    assert result.evaluation is not None
    assert result.evaluation.images == 6
    saved = weights.load(tmp_path / "run" / "model.safetensors").state_dict()
    assert all(torch.equal(t, saved[name]) for name, t in result.model.state_dict().items())


def test_data_sets_given_by_hand_are_used(tmp_path: Path):
    config = replace(short_run(iterations=1, validation_interval=1), dataset="folder:nowhere")
    result = train(
        config,
        tmp_path / "run",
        progress=False,
        train_dataset=Scenes("train", pictures=4),
        val_dataset=Scenes("val", pictures=1),
    )
    assert result.evaluation is not None
    assert result.evaluation.images == 1


def test_without_validation_no_validation_data_is_opened():
    assert open_datasets(short_run(validation_interval=0))[1] is None
    assert open_datasets(short_run(validation_interval=2))[1] is not None


def test_number_of_classes_has_to_be_the_data_sets(tmp_path: Path):
    with pytest.raises(ValueError, match=r"model\.num_classes=5: the data set 'scenes' has 8 classes"):
        train(short_run(model=dict(num_classes=5)), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_callers_cudnn_settings_are_left_alone(tmp_path: Path):
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
    train(short_run(iterations=1), tmp_path / "run", progress=False)
    assert (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic) == before
