import pytest
import torch

from dlv3 import DeepLabV3, assets
from dlv3.config.presets import preset
from dlv3.config.pretraining import PretrainConfig
from dlv3.data.made.scene_crops import SHAPES, STRIPS, SceneCrops
from dlv3.training.pretrain import pretrain_backbone
from dlv3.training.start import SCENES_WEIGHTS
from dlv3.weights import load_backbone, load_tensors


def test_crops_are_the_same_each_time_and_differ_between_splits_and_seeds():
    first = SceneCrops("train")[5]
    assert torch.equal(first[0], SceneCrops("train", pictures=6)[5][0])
    assert first[0].shape == (3, 65, 65)
    assert not torch.equal(first[0], SceneCrops("val")[5][0])
    assert not torch.equal(first[0], SceneCrops("train", seed=1)[5][0])
    assert (len(SceneCrops("train")), len(SceneCrops("val"))) == (12_000, 2_000)


def test_crops_have_every_shape_and_strip_about_equally_often():
    crops = SceneCrops("val", pictures=600)
    shapes = torch.tensor([crops[i][1] for i in range(600)]).bincount(minlength=len(SHAPES))
    strips = torch.tensor([crops[i][2] for i in range(600)]).bincount(minlength=len(STRIPS))
    assert shapes.min() > 60
    assert strips.min() > 150


def test_shipped_weights_start_a_backbone_and_say_how_they_were_made():
    tensors, about = load_tensors(assets.weights(SCENES_WEIGHTS))
    model = DeepLabV3(preset("laptop").model)
    load_backbone(model, tensors)
    assert torch.equal(model.backbone.layer4[0].conv1.weight, tensors["layer4.0.conv1.weight"])
    assert about["made by"] == "dlv3 data pretrain --seed 0"
    assert assets.weights(SCENES_WEIGHTS).stat().st_size < 1_500_000


def test_a_fresh_run_is_as_accurate_as_the_shipped_weights():
    # Another seed, all of it, the slowest test there is. On 2,000 pictures the standard error is 0.2 points.
    found = pretrain_backbone(PretrainConfig(seed=1), progress=False)
    about = load_tensors(assets.weights(SCENES_WEIGHTS))[1]
    assert found.shape_accuracy == pytest.approx(float(about["shape accuracy"]), abs=0.015)
    assert found.strip_accuracy == pytest.approx(float(about["strip accuracy"]), abs=0.005)
