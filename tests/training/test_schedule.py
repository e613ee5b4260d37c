"""The learning rate at each iteration, against numbers worked out by hand."""

import pytest

from dlv3.training import TrainingConfig
from dlv3.training.schedule import learning_rate_at, poly, step, warmup


def test_poly_is_one_at_the_start_and_zero_at_the_end():
    assert poly(0, 30_000) == 1
    assert poly(30_000, 30_000) == 0


def test_poly_half_way_is_half_to_the_power_of_nine_tenths():
    assert poly(15_000, 30_000) == pytest.approx(0.5358867)  # 2 ** -0.9


def test_poly_of_power_one_is_a_straight_line():
    assert [poly(i, 4, power=1.0) for i in range(5)] == [1, 0.75, 0.5, 0.25, 0]


def test_step_drops_at_its_multiples_and_not_before():
    assert [step(i, every=3) for i in (0, 2, 3, 5)] == pytest.approx([1, 1, 0.1, 0.1])
    assert step(6, every=3) == pytest.approx(0.01)


def test_warmup_rises_in_equal_steps_to_one_and_stays():
    assert [warmup(i, 4) for i in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]


def test_no_warmup_is_one_from_the_first_iteration_on():
    assert warmup(0, 0) == 1


def test_paper_recipe_starts_at_0_007_and_is_nearly_zero_at_its_last_update():
    config = TrainingConfig()
    assert learning_rate_at(config, 0) == 0.007
    assert learning_rate_at(config, 15_000) == pytest.approx(0.007 * 2**-0.9)
    assert learning_rate_at(config, 29_999) == pytest.approx(0.007 * (1 / 30_000) ** 0.9)


def test_learning_rate_is_the_product_of_policy_and_warmup():
    config = TrainingConfig(iterations=10, learning_rate=2.0, warmup=4, schedule="step", step_every=2)
    assert learning_rate_at(config, 0) == pytest.approx(2.0 * 0.25)
    assert learning_rate_at(config, 2) == pytest.approx(2.0 * 0.1 * 0.75)
    assert learning_rate_at(config, 5) == pytest.approx(2.0 * 0.01)
