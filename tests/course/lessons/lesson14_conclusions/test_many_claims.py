"""P-values are those of tables and of scipy; Holm's rule keeps its promise."""

import numpy as np
import pytest

from dlv3.ablations.results import T_975, difference
from dlv3.course.lessons.lesson14_conclusions.many_claims import holm, p_value


@pytest.mark.parametrize("n", [2, 3, 4, 5, 10, 31])
def test_p_value_is_5_percent_at_the_end_of_the_95_percent_interval(n):
    noise = np.random.default_rng(n).normal(size=n)
    spread = noise.std(ddof=1) / np.sqrt(n)
    shifted = noise - noise.mean() + T_975[n - 2] * spread
    assert p_value(shifted.tolist()) == pytest.approx(0.05, rel=2e-3)
    found = difference(shifted.tolist())
    assert found.low == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "differences", [[1.0, 1.2], [13.0, 13.5, 14.1], [2.1, 0.3, 1.2, -0.4, 1.8], [-3.0, -3.01, -2.99]]
)
def test_p_value_is_that_of_scipys_paired_test(differences):
    stats = pytest.importorskip("scipy.stats")
    assert p_value(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=1e-6)


def test_holm_holds_each_against_its_own_bound_and_stops():
    assert holm([0.01, 0.03, 0.04]) == [True, False, False]
    assert holm([0.04, 0.001, 0.02, 0.016]) == [True, True, True, True]
    assert holm([0.03, 0.03]) == [False, False]
    assert holm([0.02, 0.2, 0.04], level=0.06) == [True, False, False]
    assert holm([]) == []


def test_holm_lets_luck_through_in_5_of_100_boards_at_most():
    generator = np.random.default_rng(0)
    boards = generator.uniform(size=(4000, 20))  # the p-values of claims that are not true
    lucky = np.mean([any(holm(board.tolist())) for board in boards])
    assert 0.035 < lucky < 0.062
    assert np.mean((boards <= 0.05).any(axis=1)) > 0.6
