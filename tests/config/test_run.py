"""A run's configuration goes to JSON and back, and says what was changed."""

import json
from dataclasses import replace
from pathlib import Path

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
    with pytest.raises(ValueError, match="training.batch_size=0: expected a whole number from 1 to 65536"):
        RunConfig.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["[]", '{"training": 3}'])
def test_json_of_another_shape_is_refused(text: str):
    with pytest.raises(ValueError, match="expected a JSON object"):
        RunConfig.from_json(text)


def test_group_that_is_missing_in_json_is_named():
    values = json.loads(preset("tiny").to_json())
    del values["training"]
    with pytest.raises(ValueError, match=r"configuration: has no 'training'"):
        RunConfig.from_json(json.dumps(values))


@pytest.mark.parametrize(
    ("group", "field", "value"),
    [
        ("training", "iterations", "many"),
        ("training", "learning_rate", [0.1]),
        ("training", "flip", None),
        ("training", "scale", 3),
        ("training", "compile", "no"),
        ("training", "initial_weights", 3),
        ("model", "aspp_rates", {"a": 1}),
        ("model", "output_stride", 16.0),
        ("data", "ignore", [[1]]),
        ("data", "classes", "sky"),
        ("evaluation", "scales", ["1"]),
    ],
)
def test_value_of_another_type_in_json_is_named(group: str, field: str, value: object):
    values = json.loads(preset("tiny").to_json())
    values[group][field] = value
    with pytest.raises(ValueError, match=rf"configuration\.{group}\.{field}=.*: expected "):
        RunConfig.from_json(json.dumps(values))


def test_file_that_cannot_be_read_is_named(tmp_path: Path):
    path = tmp_path / "config.json"
    for content, reason in ((b"", "not JSON"), (b"\xff\xfe", "not UTF-8 text"), (b"{}", "has no 'dataset'")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"config\.json: cannot be read as a run's config.*{reason}"):
            RunConfig.read(path)


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
