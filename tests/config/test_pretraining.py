"""A pretraining's options: the package's own where they are left out, and refused where they make no sense."""

import pytest

from dlv3.config.pretraining import RECIPES, PretrainConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("crops", "photos"),
        ("epochs", 0),
        ("pictures", 10**12),
        ("batch_size", 1),
        ("optimizer", "lion"),
        ("learning_rate", float("inf")),
        ("weight_decay", -1e-4),
        ("seed", 2**64),
    ],
)
def test_bad_value_is_named(field: str, value: object):
    with pytest.raises(ValueError, match=rf"^{field}=.*: expected "):
        PretrainConfig(**{field: value})


def test_options_that_are_left_out_are_those_of_the_packages_own_weights():
    assert PretrainConfig(crops="objects").recipe() == RECIPES["objects"]
    assert PretrainConfig(crops="objects", epochs=1).recipe().epochs == 1
