"""The numbers in lesson 08's text, but for those that its cells print or assert."""

import pytest
import torch
from torch import nn

from dlv3.ablations import TABLES
from dlv3.atrous import valid_weight_shares
from dlv3.config.presets import preset
from dlv3.course.kit.recorded import above, recorded
from dlv3.course.lessons.lesson08_training.figures import GROUPS


@pytest.fixture(scope="module")
def quarter():
    return recorded("quarter", "T8", "T9")


def costs(quarter, group):
    """The paper's and our cost of each row, in points of mIOU."""
    table = TABLES[group.table]
    full = table.row(group.plain).paper
    return [
        (full - table.row(row).paper, above(quarter, group.table, group.plain, row))
        for row in group.rows.values()
    ]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.table)
def test_each_change_costs_points_in_both_worlds_and_more_in_ours(quarter, group):
    assert TABLES[group.table].row(group.plain).paper == 77.21
    for paper, ours in costs(quarter, group):
        assert ours.mean > paper > 0
        assert ours.mean > 1.5
        assert ours.verdict in ("reproduced", "same direction")


def test_a_small_batch_makes_as_many_updates_and_sees_fewer_pictures(quarter):
    lengths = {r.config["training"]["iterations"] for r in quarter if r.table == "T9"}
    assert len(lengths) == 1
    batches = {r.config["training"]["batch_size"] for r in quarter if r.table == "T9"}
    assert batches == {4, 8, 12, 16}


def test_crops_leave_what_the_text_says():
    side = {crop: (crop - 1) // 16 + 1 for crop in (321, 513)}
    assert side == {321: 21, 513: 33}
    assert valid_weight_shares(21, 18)[1] > 0.5  # at half of the positions the middle one alone
    assert valid_weight_shares(33, 18)[9] == 0


def test_the_momentum_and_the_schedule():
    assert abs(0.9997**240 - 0.93) < 0.005
    assert abs(1 - (65 / 129) ** 2 - 0.75) < 0.01  # what is left of a crop by a picture scaled by a half
    laptop = preset("laptop").training
    assert (laptop.iterations, laptop.batch_size) == (700, 16)


def test_a_batchs_mean_misses_by_one_over_the_root_of_its_size():
    values = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))
    for n in (4, 16):
        assert abs(values[:, :n].mean(1).std() * n**0.5 - 1) < 0.05
    assert (16**-0.5, 4**-0.5) == (0.25, 0.5)


def test_momentum_is_one_minus_the_papers_decay():
    norm = nn.BatchNorm1d(1, momentum=1 - 0.9997)
    assert norm.momentum == pytest.approx(0.0003)
