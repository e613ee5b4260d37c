"""Turn a row in the paper's terms into a run at the scale of a preset."""

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
PAPER_BATCH = 16
"""Pictures an update; section 4.1."""
PAPER_ASPP_RATES = (6, 12, 18)
"""Section 3.3."""
PAPER_ASPP_RATE = PAPER_ASPP_RATES[0]
PAPER_MAP = 33
"""Side of the map of a crop at output stride 16, on which the paper states ASPP's rates; section 3.3."""


def cells(
    table: Table[Setting], preset_name: str, seeds: int, base: RunConfig | None = None
) -> list[TrainingCell]:
    """Return every row and seed of a table, seed by seed, so that a sweep that is cut short has whole tables.

    Args:
        table: one of `TABLES`.
        preset_name: "tiny", "laptop", "quarter", "gpu" or "paper".
        seeds: how many, from 0 on.
        base: stands in for the preset's run, see `configuration`.

    Raises:
        ValueError: an unknown preset, or a row that the base cannot run.
    """
    rows = rows_at(table, preset_name)
    return [
        TrainingCell(
            table.name, row.name, preset_name, seed, _row_configuration(table, row, preset_name, seed, base)
        )
        for seed in range(seeds)
        for row in rows
    ]


def _row_configuration(
    table: Table[Setting], row: Row[Setting], preset_name: str, seed: int, base: RunConfig | None
) -> RunConfig:
    """Return the row's run. An error names the row where its base is the user's."""
    try:
        return configuration(row.setting, preset_name, seed, base)
    except ValueError as error:
        if base is None:
            raise
        raise ValueError(f"{table.name} {row.name}: cannot be run with these options: {error}") from error


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


def base_of(preset_name: str) -> RunConfig:
    """Return the run that a preset's rows are variations of: the preset's, with the paper's batch.

    Raises:
        ValueError: an unknown preset.
    """
    base = preset(preset_name)
    return replace(base, training=replace(base.training, batch_size=PAPER_BATCH))


def configuration(
    setting: Setting, preset_name: str, seed: int = 0, base: RunConfig | None = None
) -> RunConfig:
    """Return the run that a row stands for.

    Off the paper's scale the backbone is the preset's small one; ASPP's rates, the crop, the batch and the output
    strides shrink as the base's do against the paper's. The made scenes have their cue only if the row's model has
    ASPP: a plain cascade has no part that could see a whole picture. (A record has both scores, with the cue's classes
    and without.)

    Args:
        setting: the row's.
        preset_name: the preset.
        seed: of the training.
        base: the run that the rows are variations of; that of the preset when left out.

    Raises:
        ValueError: an unknown preset, or a setting that the base cannot have.
    """
    base = base or base_of(preset_name)
    backbone = BACKBONES[base.model.backbone]
    model = replace(
        base.model,
        blocks=setting.blocks,
        multi_grid=setting.multi_grid,
        aspp_rates=tuple(_rate_at(rate, base.model.aspp_rates[0]) for rate in setting.aspp_rates),
        image_pooling=setting.image_pooling,
        output_stride=setting.train_output_stride // backbone.shrink,
        cascade_rate=setting.cascade_rate,
    )
    training = replace(
        base.training,
        iterations=base.training.iterations * setting.length,
        batch_size=_batch_at(setting.batch_size, base.training.batch_size),
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


def aspp_rates_for(crop_size: int, backbone: str) -> tuple[int, ...]:
    """Return ASPP's rates that cover the share of a crop's map that the paper's cover of its 33×33.

    The smallest is rounded to a whole number of at least 1, and the others are its multiples, as the paper's are.

    Args:
        crop_size: pixels.
        backbone: a name in `BACKBONES`; the map is that of its output stride that stands for the paper's 16.
    """
    smallest = max(1, round(PAPER_ASPP_RATE * map_side(crop_size, backbone) / PAPER_MAP))
    return tuple(_rate_at(rate, smallest) for rate in PAPER_ASPP_RATES)


def map_side(pixels: int, backbone: str) -> int:
    """Return the side of the map of so many pixels, at the output stride that stands for the paper's 16."""
    return -(-pixels // BACKBONES[backbone].paper_output_stride)


def _rate_at(rate: int, smallest: int) -> int:
    """Return one of the paper's rates where its smallest is another. Others than its multiples are controls' own."""
    return rate if rate % PAPER_ASPP_RATE else rate // PAPER_ASPP_RATE * smallest


def _batch_at(batch: int, largest: int) -> int:
    """Return one of the paper's batches where its 16 is another number.

    Raises:
        ValueError: the batch would not be a whole number.
    """
    pictures, rest = divmod(batch * largest, PAPER_BATCH)
    if rest:
        raise ValueError(
            f"training.batch_size={largest}: the row's batch of {batch} for the paper's {PAPER_BATCH} would be "
            f"{batch * largest / PAPER_BATCH:g}; give a multiple of 8"
        )
    return pictures
