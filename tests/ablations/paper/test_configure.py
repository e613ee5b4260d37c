"""Rows as runs at the scale of a preset."""

import pytest
import torch
from paper_rows import ROWS

from dlv3 import DeepLabV3
from dlv3.ablations import TABLES, configuration
from dlv3.ablations.paper.configure import rows_at
from dlv3.ablations.report import claims_at
from dlv3.config.presets import preset


@pytest.mark.parametrize("at", ["tiny", "laptop", "quarter", "quarter-heads", "gpu", "paper"])
@pytest.mark.parametrize("name", list(TABLES))
def test_every_row_is_a_valid_run_at_every_preset(name, at):
    for row in rows_at(TABLES[name], at):
        config = configuration(row.setting, at)  # raises where it is not
        assert config.model.blocks == row.setting.blocks
        assert config.model.multi_grid == row.setting.multi_grid
        assert len(config.model.aspp_rates) == len(row.setting.aspp_rates)
        assert config.training.batch_size == row.setting.batch_size


def test_rows_at_the_papers_scale_are_the_papers_models():
    models = {
        configuration(row.setting, "paper").model
        for t in ("T1", "T2", "T3", "T5")
        for row in rows_at(TABLES[t], "paper")
    }
    wanted = set(ROWS.values())

    def key(model):
        pooling = model.image_pooling if model.aspp_rates else None
        return (
            model.backbone,
            model.blocks,
            model.multi_grid,
            model.aspp_rates,
            model.output_stride,
            pooling,
        )

    assert {key(m) for m in models} == {key(m) for m in wanted}


def test_rows_that_differ_only_in_the_papers_backbone_are_one_elsewhere():
    assert [row.name for row in rows_at(TABLES["T2"], "laptop")] == [
        f"resnet50 block{b}" for b in (4, 5, 6, 7)
    ]
    assert len(rows_at(TABLES["T2"], "paper")) == 8


def test_scale_of_a_preset_carries_rates_and_crop_over():
    small = configuration(TABLES["T5"].row("(1, 2, 4), rate 24").setting, "laptop")
    assert small.model.aspp_rates == (2, 4, 6, 8)
    assert configuration(TABLES["T8"].row("crop 321").setting, "laptop").training.crop_size == 81
    assert configuration(TABLES["T8"].row("crop 321").setting, "gpu").training.crop_size == 321


def test_quarter_scale_has_the_papers_maps_rates_and_depths():
    deepest = configuration(TABLES["T2"].row("resnet50 block7").setting, "quarter")
    model = DeepLabV3(deepest.model)
    assert model.coarse_logits(torch.zeros(1, 3, 129, 129)).shape[2:] == (33, 33)
    assert [model.backbone.block(b)[0].spatial_convs[0].rate for b in (4, 5, 6, 7)] == [2, 4, 8, 16]
    best = configuration(TABLES["T6"].row("output stride 8").setting, "quarter")
    assert best.model.aspp_rates == (6, 12, 18)
    assert (best.model.output_stride, best.evaluation.output_stride) == (4, 2)
    assert configuration(TABLES["T8"].row("crop 321").setting, "quarter").training.crop_size == 81


def test_controls_have_the_parameters_of_their_rows_and_other_rates():
    def built(table, row):
        return DeepLabV3(configuration(TABLES[table].row(row).setting, "quarter").model)

    for table, row, control in (
        ("T2", "resnet50 block7", "block7, all rates 1"),
        ("T2", "resnet50 block7", "block7, rate 2 throughout"),
        ("T5", "(1, 1, 1)", "(1, 1, 1), rates 1, 1, 1"),
    ):
        ours, theirs = built(table, row), built(table, control)
        shapes = [{name: t.shape for name, t in model.state_dict().items()} for model in (ours, theirs)]
        assert shapes[0] == shapes[1]
    even = built("T2", "block7, rate 2 throughout")
    even_rates = {c.rate for b in (4, 5, 6, 7) for unit in even.backbone.block(b) for c in unit.spatial_convs}
    assert even_rates == {2}
    assert built("T5", "(1, 1, 1), rates 1, 1, 1").aspp.rates == (1, 1, 1)


def test_controls_and_longer_schedules_are_rows_of_the_quarter_scale_alone():
    longer = configuration(TABLES["T2"].row("block7, twice the schedule").setting, "quarter").training
    assert longer.iterations == 2 * preset("quarter").training.iterations
    for table in TABLES.values():
        assert all(row.paper is not None for row in rows_at(table, "laptop"))
    assert [row.name for row in rows_at(TABLES["T5"], "quarter") if row.paper is None]


def test_claims_at_the_quarter_scale_are_scored_by_all_classes():
    assert {claim.score for table in TABLES.values() for claim in claims_at(table, "quarter")} == {"miou"}


def test_cascades_are_scored_on_labels_without_the_scene_cue():
    cascade = configuration(TABLES["T1"].rows[0].setting, "laptop")
    assert (cascade.data.scene_cue, cascade.model.num_classes) == (False, 7)
    best = configuration(TABLES["T6"].rows[0].setting, "laptop")
    assert (best.data.scene_cue, best.model.num_classes) == (True, 8)
