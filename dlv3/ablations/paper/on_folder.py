"""The paper's tables on the user's own folder of photos and masks: the network of a preset, rates for the crop's map.

The paper states ASPP's rates for a map of 33×33. On a crop of another size they are scaled with the side of its map, as
those of the presets are; the rates of the cascade follow from the output stride and stay.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dlv3.ablations.paper.cell import TrainingCell, is_folder
from dlv3.ablations.paper.configure import (
    PAPER_ASPP_RATES,
    PAPER_MAP,
    aspp_rates_for,
    base_of,
    map_side,
    rows_at,
)
from dlv3.ablations.paper.configure import cells as cells_at
from dlv3.ablations.paper.tables import TABLES
from dlv3.ablations.results import Record, read
from dlv3.config.data import DataConfig
from dlv3.config.run import RunConfig, differences
from dlv3.config.training import TrainingConfig
from dlv3.data.photos.folder import FolderDataset
from dlv3.data.photos.opening import opened
from dlv3.resnet import BACKBONES
from dlv3.training.run import check_data

PRESETS = ("tiny", "laptop", "quarter", "gpu", "paper")
"""Those whose network is run on folders: "quarter-heads" is the same network as "quarter"."""


@dataclass(frozen=True)
class Folder:
    """A folder of photos as the tables are run on it."""

    base: RunConfig
    """The run that the rows are variations of."""
    train: FolderDataset
    val: FolderDataset
    largest: tuple[int, int]
    """Height and width of the training picture with the most pixels."""

    def about(self) -> str:
        """Return a line on the data, and on the rates for the crop."""
        crop, model = self.base.training.crop_size, self.base.model
        side = map_side(crop, model.backbone)
        height, width = self.largest
        padded = "" if max(height, width) >= crop else ", which pads every picture"
        return (
            f"{self.base.dataset}: {model.num_classes} classes, {len(self.train)} training pictures of up to "
            f"{width}×{height} and {len(self.val)} validation pictures. A crop of {crop}{padded} gives a map of "
            f"{side}×{side} at output stride {model.output_stride}: ASPP's rates are {model.aspp_rates}, where the "
            f"paper has {PAPER_ASPP_RATES} on {PAPER_MAP}×{PAPER_MAP}"
        )


def open_folder(spec: str, preset_name: str, data: DataConfig, training: TrainingConfig) -> Folder:
    """Open a folder, find its classes, and settle ASPP's rates.

    Args:
        spec: "folder:DIR".
        preset_name: one of `PRESETS`, whose network is taken.
        data: the options of the folder.
        training: the schedule of all rows, with the batch and the crop that stand for the paper's.

    Raises:
        ValueError: another data set or preset, a crop of which no map is whole, or weights for other classes.
        DataError: the folder cannot be used.
    """
    if not is_folder(spec):
        raise ValueError(f"--data {spec}: expected folder:DIR, a folder of pictures and masks")
    if preset_name not in PRESETS:
        raise ValueError(f"--data at --preset {preset_name}: expected one of {', '.join(PRESETS)}")
    preset = base_of(preset_name)
    backbone, crop = preset.model.backbone, training.crop_size
    stride = BACKBONES[backbone].paper_output_stride
    if (crop - 1) % stride:
        whole = (crop - 1) // stride * stride + 1
        raise ValueError(
            f"--training.crop-size {crop}: no map of it is whole: the steps of output stride {stride} end between two "
            f"pixels; give {whole} or {whole + stride}"
        )
    root = Path(spec.partition(":")[2] or ".")
    train, val = (FolderDataset(root, split, data, preset.model.in_channels) for split in ("train", "val"))
    model = replace(
        preset.model,
        num_classes=train.num_classes,
        output_stride=stride,
        aspp_rates=aspp_rates_for(crop, backbone),
    )
    # Photos may be large, and of many sizes. The score does not depend on the batch.
    evaluation = replace(preset.evaluation, batch_size=1)
    # Without a last slash and the like, so that a sweep that was begun with it is found.
    base = RunConfig(f"folder:{root.as_posix()}", model, data, training, evaluation)
    check_data(base, train, val)
    return Folder(base, train, val, _largest(train))


def _largest(dataset: FolderDataset) -> tuple[int, int]:
    """Return the height and width of the picture with the most pixels; only the files' heads are read."""
    sizes = []
    for pair in dataset.pairs:
        with opened(pair.image) as picture:
            sizes.append((picture.height, picture.width))
    return max(sizes, key=lambda size: size[0] * size[1])


def require_room(folder: Folder, cells: Sequence[TrainingCell]) -> None:
    """Check that ASPP's filters have outer weights on the maps of crops and of pictures.

    Args:
        folder: the folder.
        cells: those to run.

    Raises:
        ValueError: a rate spans the whole map, so that only its filter's centre would ever meet the map.
    """
    model = folder.base.model
    largest = max((rate for cell in cells for rate in cell.config.model.aspp_rates), default=0)
    if largest <= 1:  # no ASPP, or a control
        return
    crop = folder.base.training.crop_size
    side = map_side(crop, model.backbone)
    if largest >= side:
        raise ValueError(
            f"--training.crop-size {crop}: its map has {side}×{side} samples, too few for ASPP's rate {largest}, all "
            f"of whose outer weights would fall beside it; give a larger crop, such as {_crop_of(model.backbone, 9)}"
        )
    height, width = folder.largest
    if largest >= map_side(max(height, width), model.backbone):
        smaller = _crop_of(model.backbone, max(map_side(min(height, width), model.backbone) - 1, 5))
        way = f"a smaller --training.crop-size, such as {smaller}" if smaller < crop else "--preset quarter"
        raise ValueError(
            f"{folder.base.dataset}: its pictures, of up to {width}×{height}, are too small for ASPP's rate {largest}, "
            f"which belongs to crops of {crop}: all its outer weights would fall beside their maps; give {way}"
        )


def _crop_of(backbone: str, side: int) -> int:
    """Return the crop whose map has this side."""
    return (side - 1) * BACKBONES[backbone].paper_output_stride + 1


def require_meaning(cells: Sequence[TrainingCell]) -> None:
    """Check that every row asks what the paper's row asks.

    Raises:
        ValueError: batch normalization is held that was never trained.
    """
    for cell in cells:
        training = cell.config.training
        if training.freeze_batch_norm and training.pretrained is None:
            raise ValueError(
                f"{cell.table} {cell.row}, with training.pretrained None: the row holds the pretrained network's batch "
                "normalization, and there is none; give --training.pretrained, or leave the table out"
            )


def records_folder(results: Path, spec: str) -> Path:
    """Return the folder of the records of a data set, apart from those of the presets' own data."""
    words = "".join(c if c.isalnum() else " " for c in spec.partition(":")[2]).split()
    return results / "-".join(["folder", *(words or ["here"])])


def require_same_options(folder: Folder, preset_name: str, results: Path) -> None:
    """Check that everything recorded on the folder was run with these options, so that no table mixes two.

    Args:
        folder: the folder.
        preset_name: the preset.
        results: the folder of its records, see `records_folder`.

    Raises:
        ValueError: a record has other options; the message names them.
    """
    for record in read(results):
        if record.preset != preset_name or record.table not in TABLES:
            continue
        expected = _cell_of(record, folder.base)
        recorded = RunConfig.from_json(json.dumps(record.config))
        changed = [] if expected is None else differences(recorded, expected.config)
        if changed:
            raise ValueError(
                f"{record.path(results)}: was recorded with other options ({'; '.join(changed[:4])}): repeat the "
                "command with the same ones, or give another --results"
            )


def _cell_of(record: Record, base: RunConfig) -> TrainingCell | None:
    """Return a record's cell with today's options; None for a row that no longer exists."""
    table = TABLES[record.table]
    if record.row not in {row.name for row in rows_at(table, record.preset)}:
        return None
    of_row = replace(table, rows=(table.row(record.row),))
    return cells_at(of_row, record.preset, record.seed + 1, base)[-1]
