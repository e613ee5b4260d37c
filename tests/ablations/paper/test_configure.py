"""Rows as runs at the scale of a preset."""

import pytest
from paper_rows import ROWS

from dlv3.ablations import TABLES, configuration
from dlv3.ablations.paper.configure import rows_at


@pytest.mark.parametrize("preset", ["tiny", "laptop", "gpu", "paper"])
@pytest.mark.parametrize("name", list(TABLES))
def test_every_row_is_a_valid_run_at_every_preset(name, preset):
    for row in TABLES[name].rows:
        config = configuration(row.setting, preset)  # raises where it is not
        assert config.model.blocks == row.setting.blocks
        assert config.model.multi_grid == row.setting.multi_grid
        assert len(config.model.aspp_rates) == len(row.setting.aspp_rates)
        assert config.training.batch_size == row.setting.batch_size


def test_rows_at_the_papers_scale_are_the_papers_models():
    models = {
        configuration(row.setting, "paper").model for t in ("T1", "T2", "T3", "T5") for row in TABLES[t].rows
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


def test_cascades_are_scored_on_labels_without_the_scene_cue():
    cascade = configuration(TABLES["T1"].rows[0].setting, "laptop")
    assert (cascade.data.scene_cue, cascade.model.num_classes) == (False, 7)
    best = configuration(TABLES["T6"].rows[0].setting, "laptop")
    assert (best.data.scene_cue, best.model.num_classes) == (True, 8)
