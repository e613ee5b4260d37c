"""The numbers in lesson 06's text: those of the paper and of the recap, and what it says of the recorded tables."""

import pytest

from dlv3 import atrous
from dlv3.ablations import TABLES
from dlv3.course.kit.recorded import above, recorded


@pytest.fixture(scope="module")
def quarter():
    return recorded("quarter", "T5", "T6", "T8")


def test_fig_4_and_the_maps_of_513_pixels():
    assert 0.6 < 1 - atrous.valid_weight_shares(65, 12)[9] < 0.61
    assert [round(100 * atrous.valid_weight_shares(33, rate)[9], 1) for rate in (6, 12, 18)] == [40.5, 7.4, 0]
    at_24 = atrous.valid_weight_shares(33, 24)
    assert at_24[9] == 0
    assert 0.19 < at_24[1] < 0.22
    assert next(r for r in range(1, 40) if atrous.valid_weight_shares(33, r)[9] == 0) == 17
    assert next(r for r in range(1, 40) if atrous.valid_weight_shares(33, r)[1] == 1) == 33


@pytest.mark.parametrize("rate", [6, 12, 18])
def test_doubled_rates_meet_the_same_share_of_the_finer_map(rate):
    coarse, fine = atrous.valid_weight_shares(33, rate), atrous.valid_weight_shares(65, 2 * rate)
    assert abs(coarse[9] - fine[9]) < 0.01


def test_the_papers_table_5_is_the_one_in_the_text():
    rows = {row.name: row.paper for row in TABLES["T5"].rows if row.paper is not None}
    assert rows["(1, 1, 1), no ASPP"] == 68.39
    assert [rows[row] for row in ("(1, 1, 1)", "(1, 2, 4)", "(1, 2, 4), rate 24", "(1, 2, 4), image pooling")] == [
        75.36, 76.58, 76.46, 77.21,
    ]  # fmt: skip
    assert round(75.36 - 68.39) == 7


def test_less_than_half_of_aspps_gain_remains_with_rates_of_1(quarter):
    rates = above(quarter, "T5", "(1, 1, 1)", "(1, 1, 1), no ASPP")
    ones = above(quarter, "T5", "(1, 1, 1), rates 1, 1, 1", "(1, 1, 1), no ASPP")
    assert rates.low > 15
    assert 0.1 < ones.mean / rates.mean < 0.45
    assert above(quarter, "T5", "(1, 1, 1)", "(1, 1, 1), rates 1, 1, 1").low > 10
    assert rates.mean > 3 * (75.36 - 68.39)  # several times the paper's


def test_what_is_like_the_paper_and_what_is_not(quarter):
    assert 0 < above(quarter, "T5", "(1, 2, 4), image pooling", "(1, 2, 4)").mean < 5
    assert above(quarter, "T5", "(1, 2, 4)", "(1, 2, 4), rate 24").low < 0.5
    assert above(quarter, "T5", "(1, 2, 4)", "(1, 1, 1)").mean < -0.5
    assert above(quarter, "T5", "(1, 2, 4), rates 1, 1, 1", "(1, 1, 1), rates 1, 1, 1").low > 5


def test_output_stride_8_costs_unless_the_labels_were_shrunk(quarter):
    assert -1.5 < above(quarter, "T6", "output stride 8", "output stride 16").mean < -0.4
    assert above(quarter, "T8", "labels downsampled, evaluated at 8", "labels downsampled").mean > 0.7
