"""Presets have the values that they promise."""

import pytest

from dlv3 import DeepLabV3
from dlv3.config.presets import PRESETS, preset
from dlv3.config.run import RunConfig, differences


@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_json(name: str):
    config = preset(name)
    assert RunConfig.from_json(config.to_json()) == config


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(
        ValueError, match="preset='huge': expected one of tiny, laptop, quarter, quarter-heads, gpu, paper"
    ):
        preset("huge")


@pytest.mark.parametrize("name", ["tiny", "laptop", "quarter", "quarter-heads", "gpu"])
def test_small_presets_build_the_small_network(name: str):
    model = DeepLabV3(preset(name).model)
    assert sum(p.numel() for p in model.parameters()) < 2_000_000


def test_paper_preset_is_section_4_1():
    config = preset("paper")
    training = config.training
    assert (training.iterations, training.batch_size, training.crop_size) == (30_000, 16, 513)
    assert (training.learning_rate, training.schedule, training.power) == (0.007, "poly", 0.9)
    assert (training.batch_norm_decay, training.scale, training.flip) == (0.9997, (0.5, 2.0), 0.5)
    assert (training.freeze_batch_norm, training.downsample_labels) == (False, False)
    assert training.pretrained == "imagenet"
    model = config.model
    assert (model.backbone, model.num_classes, model.output_stride) == ("resnet101", 21, 16)
    assert (model.multi_grid, model.aspp_rates, model.image_pooling) == ((1, 2, 4), (6, 12, 18), True)
    assert config.data.voc_train == "trainaug"


def test_second_stage_changes_what_section_4_1_changes_and_nothing_else():
    changed = {line.partition(":")[0] for line in differences(preset("paper"), preset("paper-stage2"))}
    assert changed == {
        "model.output_stride",
        "data.voc_train",
        "training.learning_rate",
        "training.freeze_batch_norm",
        "training.pretrained",
        "training.initial_weights",
    }
    second = preset("paper-stage2")
    assert (second.model.output_stride, second.training.learning_rate) == (8, 0.001)
    assert second.training.freeze_batch_norm
    assert second.data.voc_train == "trainval"
