"""Pretraining on one-object pictures: the shipped weights, and a run that gives others as good."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from dlv3 import DeepLabV3, assets
from dlv3.config.presets import preset
from dlv3.config.pretraining import RECIPES, PretrainConfig
from dlv3.data.made.scene_crops import SceneCrops
from dlv3.training import pretrain
from dlv3.training.pretrain import pretrain_backbone
from dlv3.weights import load_backbone, load_tensors

SMALL = dict(pictures=64, epochs=1, batch_size=16)


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Score on 50 pictures instead of 2,000."""

    def crops(split: str, **options: int) -> SceneCrops:
        return SceneCrops(split, **dict(pictures=50) | options)

    lessons = replace(pretrain.LESSONS["scenes"], crops=crops)
    monkeypatch.setitem(pretrain.LESSONS, "scenes", lessons)


def test_shipped_weights_start_a_backbone_and_say_how_they_were_made():
    tensors, about = load_tensors(assets.weights("resnet14_scenes"))
    model = DeepLabV3(preset("laptop").model)
    load_backbone(model, tensors)
    assert torch.equal(model.backbone.layer4[0].conv1.weight, tensors["layer4.0.conv1.weight"])
    assert about["made by"] == "dlv3 data pretrain --seed 0"
    assert assets.weights("resnet14_scenes").stat().st_size < 1_500_000


@pytest.mark.usefixtures("few_pictures")
def test_run_follows_from_its_seed_and_leaves_the_callers_random_numbers_alone():
    run = partial(pretrain_backbone, progress=False)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    first, again, other = (
        run(PretrainConfig(**SMALL, seed=seed)).backbone.state_dict() for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, again[name]) for name, tensor in first.items())
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


@pytest.mark.usefixtures("few_pictures")
def test_result_is_a_backbone_and_its_accuracies():
    found = pretrain_backbone(PretrainConfig(**SMALL), progress=False)
    load_backbone(DeepLabV3(preset("laptop").model), found.backbone.state_dict())
    assert list(found.accuracies) == ["shape", "strip"]
    assert all(0 <= share <= 1 for share in found.accuracies.values())
    assert found.seconds > 0


@pytest.mark.slow
def test_a_fresh_run_is_as_accurate_as_the_shipped_weights():
    # Another seed, all of it, the slowest test there is. On 2,000 pictures the standard error is 0.2 points.
    found = pretrain_backbone(PretrainConfig(seed=1), progress=False)
    about = load_tensors(assets.weights("resnet14_scenes"))[1]
    assert found.accuracies["shape"] == pytest.approx(float(about["shape accuracy"]), abs=0.015)
    assert found.accuracies["strip"] == pytest.approx(float(about["strip accuracy"]), abs=0.005)


@pytest.mark.slow
def test_a_fresh_run_at_a_quarter_of_the_scale_is_as_accurate_as_the_shipped_weights():
    file = assets.weights("resnet17_objects")
    tensors, about = load_tensors(file)
    load_backbone(DeepLabV3(preset("quarter").model), tensors)
    assert about["made by"] == "dlv3 data pretrain --crops objects --seed 0"
    assert file.stat().st_size < 200_000
    # The same seed gives the same weights on the same machine only, so another one is taken. Seeds differ: 0 and 1
    # came to 99.3% and 96.4%.
    found = pretrain_backbone(PretrainConfig(crops="objects", seed=1), progress=False)
    assert found.accuracies["object"] == pytest.approx(float(about["object accuracy"]), abs=0.05)


def test_options_left_out_have_the_values_of_the_weights_that_are_shipped():
    assert PretrainConfig().recipe() == RECIPES["scenes"]
    given = PretrainConfig(crops="objects", epochs=1).recipe()
    assert given == replace(RECIPES["objects"], epochs=1)
