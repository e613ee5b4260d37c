"""From a row in the paper's terms to a run at the scale of a preset."""

from dataclasses import replace
from typing import Any

from dlv3.ablations.tables import Row, Setting, Table
from dlv3.ablations.training_cell import TrainingCell
from dlv3.data.scenes import CLASSES, CLASSES_WITHOUT_CUE
from dlv3.presets import RunConfig, preset
from dlv3.resnet import BACKBONES

PAPER_CROP = 513  # pixels; section 4.1
PAPER_ASPP_RATE = 6  # the smallest of ASPP's rates; section 3.3


def cells(table: Table, preset_name: str, seeds: int) -> list[TrainingCell]:
    """Every row and seed of a table, seed by seed, so that a sweep cut short has whole tables.

    Args:
        table: one of `TABLES`.
        preset_name: "tiny", "laptop", "quarter", "gpu" or "paper".
        seeds: how many, from 0 on.

    Raises:
        ValueError: no such preset.
    """
    rows = rows_at(table, preset_name)
    return [
        TrainingCell(table.name, row.name, preset_name, seed, configuration(row.setting, preset_name, seed))
        for seed in range(seeds)
        for row in rows
    ]


def rows_at(table: Table, preset_name: str) -> list[Row]:
    """The rows that differ at a preset. Off the paper's scale there is one backbone, so that rows which differ in
    nothing else than the paper's backbone are one: the first, a ResNet-50's, stands for both."""
    rows = [row for row in table.rows if row.presets is None or preset_name in row.presets]
    if on_paper_scale(preset_name):
        return rows
    first: dict[Any, Row] = {}
    for row in rows:
        paper = isinstance(row.setting, Setting)
        first.setdefault(replace(row.setting, backbone="") if paper else row.setting, row)
    return list(first.values())


def on_paper_scale(preset_name: str) -> bool:
    """Whether a preset has the paper's backbones and data."""
    return preset_name.startswith("paper")


def configuration(setting: Setting, preset_name: str, seed: int = 0) -> RunConfig:
    """The run that a row stands for.

    At the made pictures' scale the backbone is the preset's small one; ASPP's rates, the crop and the output strides
    shrink as the preset's own do against the paper's; and on the scenes, the scene cue is there only where the row's
    model has ASPP, since a plain cascade has no part that could see a whole picture (both scores are kept in any case).

    Raises:
        ValueError: no such preset.
    """
    base = preset(preset_name)
    shrink = PAPER_ASPP_RATE // base.model.aspp_rates[0]
    backbone = BACKBONES[base.model.backbone]
    model = replace(
        base.model,
        blocks=setting.blocks,
        multi_grid=setting.multi_grid,
        aspp_rates=tuple(rate // shrink for rate in setting.aspp_rates),
        image_pooling=setting.image_pooling,
        output_stride=setting.train_output_stride // backbone.shrink,
        cascade_rate=setting.cascade_rate,
    )
    training = replace(
        base.training,
        iterations=base.training.iterations * setting.length,
        batch_size=setting.batch_size,
        crop_size=round(base.training.crop_size * setting.crop_size / PAPER_CROP),
        freeze_batch_norm=setting.freeze_batch_norm,
        downsample_labels=setting.downsample_labels,
        validation_interval=0,  # the score is taken once, at the end
        seed=seed,
    )
    evaluation = replace(
        base.evaluation,
        output_stride=setting.output_stride and setting.output_stride // backbone.shrink,
        scales=setting.scales,
        flip=setting.flip,
    )
    data = base.data
    if on_paper_scale(preset_name):
        model = replace(model, backbone=setting.backbone)
    elif base.dataset == "scenes":
        data = replace(data, scene_cue=setting.scene_cue)
        model = replace(model, num_classes=len(CLASSES if setting.scene_cue else CLASSES_WITHOUT_CUE))
    return RunConfig(base.dataset, model, data, training, evaluation)
