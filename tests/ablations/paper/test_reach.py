"""How far units reach, and what that alone scores on heads."""

import pytest
import torch

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.ablations.paper.reach import (
    far_distances,
    head_distances,
    heads_score,
    outline_score,
    reach,
    score_by_reach,
)
from dlv3.data.made.heads import Heads
from dlv3.data.made.outline import Outline
from dlv3.receptive_field import measure_support


def config(**options):
    plain = dict(aspp_rates=(), image_pooling=False, multi_grid=(1, 1, 1), output_stride=4, aspp_channels=4)
    return DeepLabV3Config(backbone="resnet17", num_classes=5, **(plain | options))


@pytest.mark.parametrize("options", [{}, dict(multi_grid=(1, 2, 4)), dict(aspp_rates=(6, 12, 18))])
def test_reach_is_what_a_unit_of_the_last_map_sees(options):
    model = DeepLabV3(config(**options))
    length = 513
    support = measure_support(torch.nn.Sequential(model.backbone, model.classifier), length, 64).nonzero()
    assert (int(support[-1]) - int(support[0])) // 2 == reach(model.config)


def test_depth_rates_and_aspp_reach_farther_and_controls_do_not():
    rows = [config(), config(multi_grid=(1, 2, 4)), config(blocks=5), config(blocks=7)]
    found = [reach(row) for row in rows]
    assert found == sorted(found)
    assert reach(config(aspp_rates=(6, 12, 18))) == found[0] + 72
    assert reach(config(aspp_rates=(1, 1, 1))) == found[0] + 4
    assert reach(config(blocks=7, cascade_rate=1)) < reach(config(blocks=5))
    assert reach(config(aspp_rates=(6,), image_pooling=True)) is None


def test_score_is_that_of_guessing_where_nothing_is_seen_and_1_where_all_is():
    assert score_by_reach(1, 4) == 1
    # A guess among 4 is right for a quarter: 0.25 of a union of 1.75.
    assert score_by_reach(0, 4) == pytest.approx((1 + 4 * 0.25 / 1.75) / 5)


def test_a_score_follows_from_the_distances_to_the_heads():
    distances = head_distances(Heads("val", pictures=40))
    assert 0 <= distances.min() < 1
    assert distances.max() < 129
    scores = [heads_score(config(blocks=blocks), "val", 40) for blocks in (4, 5)]
    assert scores[0] < scores[1] <= 1
    assert heads_score(config(aspp_rates=(6,), image_pooling=True), "val", 5) == 1


def test_an_object_is_seen_whole_from_its_middle_first():
    dataset = Outline("val", pictures=1)
    [thing, *_] = dataset.layout(0).objects
    rows, columns = thing.placed.covered().nonzero()
    height, width = rows.max() - rows.min(), columns.max() - columns.min()
    distances = far_distances(dataset)[: len(rows)]
    assert distances.max() <= max(height, width)
    assert distances.min() >= max(height, width) / 2


def test_farther_reach_scores_higher_on_outline_and_the_whole_picture_scores_all():
    scores = [outline_score(config(blocks=blocks), "val", 20) for blocks in (4, 5, 6)]
    assert scores == sorted(scores)
    assert scores[0] < scores[1]
    assert outline_score(config(aspp_rates=(6,), image_pooling=True), "val", 20) == 1
