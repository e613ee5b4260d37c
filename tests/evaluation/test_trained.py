"""Trained models from disk: runs, weights alone, and the colours that go with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.config.presets import preset
from dlv3.config.run import RunConfig
from dlv3.data import SCENES_PALETTE, voc_palette
from dlv3.data.named_classes import CLASSES_KEY, NamedClasses
from dlv3.evaluation import load_trained

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_rates=(2,), aspp_channels=8)


def save_run(folder, config):
    torch.manual_seed(0)
    folder.mkdir()
    weights.save(DeepLabV3(config.model), folder / "model.safetensors")
    (folder / "config.json").write_text(config.to_json())
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on photos that no test changes."""
    return save_run(tmp_path_factory.mktemp("runs") / "run", RunConfig(dataset="folder:x", model=SMALL))


def test_run_has_its_model_and_configuration(run):
    trained = load_trained(run)
    assert trained.config == RunConfig(dataset="folder:x", model=SMALL)
    assert trained.model.config == SMALL
    assert not trained.model.training
    assert trained.weights == run / "model.safetensors"


def test_weights_in_a_run_have_the_runs_configuration(run):
    assert load_trained(str(run / "model.safetensors")).config == load_trained(run).config


def test_weights_alone_have_none(run, tmp_path):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((run / "model.safetensors").read_bytes())
    trained = load_trained(alone)
    assert trained.config is None
    assert np.array_equal(trained.palette(), voc_palette(5))


def test_photos_have_vocs_colours(run):
    assert np.array_equal(load_trained(run).palette(), voc_palette(5))


def test_pictures_made_in_code_have_their_own_colours(tmp_path):
    config = preset("tiny")
    assert np.array_equal(load_trained(save_run(tmp_path / "run", config)).palette(), SCENES_PALETTE)


def test_other_number_of_classes_than_the_data_sets_has_vocs_colours(tmp_path):
    config = replace(preset("tiny"), model=SMALL)
    assert np.array_equal(load_trained(save_run(tmp_path / "run", config)).palette(), voc_palette(5))


def test_what_cannot_be_loaded_is_named(tmp_path, run):
    with pytest.raises(FileNotFoundError, match="nowhere: no such run or weights; give a run's folder or"):
        load_trained(tmp_path / "nowhere")
    with pytest.raises(
        FileNotFoundError, match="no model.safetensors in this folder; it is not a run's folder"
    ):
        load_trained(tmp_path)
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(FileNotFoundError, match="its training has not finished; resume it with .* --resume"):
        load_trained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="config.json: cannot be read as a run's configuration"):
        load_trained(tmp_path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    model = DeepLabV3(SMALL)
    model.backbone.bn1.running_var[0] = value
    weights.save(model, tmp_path / "a.safetensors")
    with pytest.raises(
        ValueError, match=r"a\.safetensors: backbone\.bn1\.running_var has values that are not finite"
    ):
        load_trained(tmp_path / "a.safetensors")


def test_classes_kept_with_the_weights_give_names_and_colours(tmp_path):
    kept = NamedClasses(tuple("abcde"), tuple((10 * i, i, 255 - i) for i in range(5)))
    weights.save(DeepLabV3(SMALL), tmp_path / "a.safetensors", kept.to_metadata())
    trained = load_trained(tmp_path / "a.safetensors")
    assert trained.classes == kept
    assert np.array_equal(trained.palette(), kept.palette)


def test_kept_classes_of_another_number_are_refused_with_the_file(tmp_path):
    weights.save(DeepLabV3(SMALL), tmp_path / "a.safetensors", {CLASSES_KEY: "[]"})
    with pytest.raises(
        ValueError, match=r"a\.safetensors: the classes named in it cannot be used \(expected a"
    ):
        load_trained(tmp_path / "a.safetensors")
