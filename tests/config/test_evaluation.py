"""How a model is evaluated: values that cannot be used are named."""

import pytest

from dlv3.config.evaluation import EvaluationConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scales", ()),
        ("scales", (0.0,)),
        ("scales", (float("inf"),)),
        ("scales", (float("nan"),)),
        ("scales", (1e12,)),
        ("scales", (1.0,) * 65),
        ("batch_size", 0),
        ("batch_size", 10**20),
        ("flip", 1),
        ("precision", "float16"),
        ("output_stride", 0),
        ("output_stride", 12),
    ],
)
def test_bad_configuration_is_named(field, value):
    with pytest.raises(ValueError, match=rf"evaluation\.{field}="):
        EvaluationConfig(**{field: value})


def test_lists_from_json_become_tuples():
    assert EvaluationConfig(scales=[0.5, 1.0]).scales == (0.5, 1.0)
