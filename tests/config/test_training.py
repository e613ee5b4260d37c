"""Values that make no sense are refused with the field's name."""

import pytest

from dlv3.training import TrainingConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("iterations", 0),
        ("batch_size", 2.5),
        ("crop_size", -1),
        ("learning_rate", 0),
        ("warmup", -1),
        ("momentum", 1.0),
        ("batch_norm_decay", 1.0),
        ("weight_decay", -1e-4),
        ("flip", 1.5),
        ("scale", (2.0, 0.5)),
        ("scale", (1.0,)),
        ("schedule", "cosine"),
        ("optimizer", "lion"),
        ("front_learning_rate", -0.1),
        ("precision", "float16"),
        ("workers", -1),
        ("log_interval", 0),
        ("seed", -1),
        ("patience", -1),
        ("class_weights", (1.0, -1.0)),
        ("class_weights", (0.0, 0.0)),
        ("class_weights", (1.0, float("nan"))),
        ("class_balance", "mean"),
        ("seed", 2**64),
        ("learning_rate", 1e12),
        ("learning_rate", float("nan")),
        ("front_learning_rate", float("inf")),
        ("power", float("inf")),
        ("scale", (1e-9, 1.0)),
        ("scale", (1.0, float("inf"))),
        ("scale_step", float("inf")),
        ("scale_step", 1e-300),
        ("momentum", float("nan")),
        ("workers", 10**20),
        ("iterations", 10**20),
        ("crop_size", 10**9),
        ("flip", True),
        ("compile", "yes"),
    ],
)
def test_bad_value_is_named(field: str, value: object):
    with pytest.raises(ValueError, match=rf"training\.{field}=.*: expected "):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize("options", [dict(keep_best=True), dict(patience=2)])
def test_the_best_needs_validations(options: dict):
    with pytest.raises(ValueError, match=r"training\.(keep_best|patience)=.*validation_interval above 0"):
        TrainingConfig(validation_interval=0, **options)


def test_class_weights_are_given_or_counted():
    with pytest.raises(ValueError, match="give one of them"):
        TrainingConfig(class_weights=(1.0, 2.0), class_balance="median-frequency")


def test_parts_have_to_be_equal():
    with pytest.raises(ValueError, match=r"training\.accumulate=3: does not divide training\.batch_size=16"):
        TrainingConfig(accumulate=3)


def test_lists_become_tuples_and_none_may_be_written():
    config = TrainingConfig(scale=[0.5, 1.0], pretrained="none")
    assert config.scale == (0.5, 1.0)
    assert config.pretrained is None
