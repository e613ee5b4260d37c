"""From a row in the paper's terms to a run at the scale of a preset."""

from collections.abc import Sequence
from dataclasses import replace

from dlv3.ablations.paper.cell import TrainingCell
from dlv3.ablations.paper.tables import Setting
from dlv3.ablations.table import Row, Table
from dlv3.config.presets import preset
from dlv3.config.run import RunConfig
from dlv3.data.made.scenes import CLASSES, CLASSES_WITHOUT_CUE
from dlv3.resnet import BACKBONES

PAPER_CROP = 513
"""Pixels; section 4.1."""
PAPER_ASPP_RATE = 6
"""The smallest of ASPP's rates; section 3.3."""


def cells(table: Table[Setting], preset_name: str, seeds: int) -> list[TrainingCell]:
    """Return every row and seed of a table, seed by seed, so that a sweep that is cut short has whole tables.

    Args:
        table: one of `TABLES`.
        preset_name: "tiny", "laptop", "quarter", "gpu" or "paper".
        seeds: how many, from 0 on.

    Raises:
        ValueError: an unknown preset.
    """
    rows = rows_at(table, preset_name)
    return [
        TrainingCell(table.name, row.name, preset_name, seed, configuration(row.setting, preset_name, seed))
        for seed in range(seeds)
        for row in rows
    ]


def rows_at(table: Table[Setting], preset_name: str) -> Sequence[Row[Setting]]:
    """Return the rows that differ at a preset.

    Off the paper's scale there is one backbone. Rows that differ in the paper's backbone alone are then the same run:
    the first of them, a ResNet-50's, stands for both.
    """
    rows = [row for row in table.rows if row.presets is None or preset_name in row.presets]
    if on_paper_scale(preset_name):
        return rows
    first: dict[Setting, Row[Setting]] = {}
    for row in rows:
        first.setdefault(replace(row.setting, backbone=""), row)
    return list(first.values())


def on_paper_scale(preset_name: str) -> bool:
    """Return whether a preset has the paper's backbones and data."""
    return preset_name.startswith("paper")


def configuration(setting: Setting, preset_name: str, seed: int = 0) -> RunConfig:
    """Return the run that a row stands for.

    Off the paper's scale the backbone is the preset's small one; ASPP's rates, the crop and the output strides shrink
    as the preset's own do against the paper's. The made scenes have their cue only if the row's model has ASPP: a
    plain cascade has no part that could see a whole picture. (A record has both scores, with the cue's classes and
    without.)

    Raises:
        ValueError: an unknown preset.
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
