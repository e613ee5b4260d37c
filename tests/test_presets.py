"""Presets hold what they say, and a configuration survives JSON."""

import json
from dataclasses import replace

import pytest

from dlv3 import DeepLabV3
from dlv3.data import DataConfig
from dlv3.presets import PRESETS, RunConfig, differences, preset


@pytest.mark.parametrize("name", PRESETS)
def test_preset_survives_json(name: str):
    config = preset(name)
    assert RunConfig.from_json(config.to_json()) == config


def test_every_kind_of_value_survives_json():
    config = replace(
        preset("tiny"),
        dataset="folder:photos",
        data=DataConfig(ignore=(11, 12), classes=("sky", "road"), num_classes=None, train_images="a"),
        evaluation=replace(preset("tiny").evaluation, scales=(0.5, 1.0), output_stride=8),
    )
    again = RunConfig.from_json(config.to_json())
    assert again == config
    assert again.data.ignore == (11, 12)


def test_unknown_field_in_json_is_named():
    values = json.loads(preset("tiny").to_json())
    values["training"]["learning_speed"] = 1
    with pytest.raises(
        ValueError, match=r"configuration\.training: 'learning_speed' is no field of it; .*learning_rate"
    ):
        RunConfig.from_json(json.dumps(values))


def test_bad_value_in_json_is_named():
    values = json.loads(preset("tiny").to_json())
    values["training"]["batch_size"] = 0
    with pytest.raises(ValueError, match="training.batch_size=0: expected a whole number of at least 1"):
        RunConfig.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["[]", '{"training": 3}'])
def test_json_of_another_shape_is_refused(text: str):
    with pytest.raises(ValueError, match="expected a JSON object"):
        RunConfig.from_json(text)


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(
        ValueError, match="preset='huge': expected one of tiny, laptop, quarter, quarter-heads, gpu, paper"
    ):
        preset("huge")


def test_differences_name_the_fields_that_changed():
    old = preset("laptop")
    new = replace(old, training=replace(old.training, iterations=100), data=DataConfig(ignore=(11,)))
    assert differences(old, new) == ["data.ignore: () → (11,)", "training.iterations: 700 → 100"]
    assert differences(old, old) == []


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


def test_auxiliary_classifier_and_downsampled_labels_exclude_each_other():
    config = preset("tiny")
    with pytest.raises(ValueError, match=r"training\.downsample_labels with model\.aux"):
        replace(
            config,
            model=replace(config.model, aux=True),
            training=replace(config.training, downsample_labels=True),
        )
