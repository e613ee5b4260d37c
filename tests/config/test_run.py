"""A run's configuration goes to JSON and back, and says what was changed."""

import json
from dataclasses import replace

import pytest

from dlv3.config.presets import preset
from dlv3.config.run import RunConfig, differences
from dlv3.data import DataConfig


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
        ValueError, match=r"configuration\.training: 'learning_speed' is not a field of it; .*learning_rate"
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


def test_differences_name_the_fields_that_changed():
    old = preset("laptop")
    new = replace(old, training=replace(old.training, iterations=100), data=DataConfig(ignore=(11,)))
    assert differences(old, new) == ["data.ignore: () → (11,)", "training.iterations: 700 → 100"]
    assert differences(old, old) == []


def test_auxiliary_classifier_and_downsampled_labels_exclude_each_other():
    config = preset("tiny")
    with pytest.raises(ValueError, match=r"training\.downsample_labels=True with model\.aux=True"):
        replace(
            config,
            model=replace(config.model, aux=True),
            training=replace(config.training, downsample_labels=True),
        )
