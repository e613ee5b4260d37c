"""Run cells of tables: each training once, each score recorded, and nothing done twice."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dlv3.ablations.cell import Cell
from dlv3.ablations.results import Record, surroundings
from dlv3.ablations.training_cell import TrainingCell
from dlv3.presets import RunConfig
from dlv3.training.distributed import joined


def shard_of(cells: Sequence[Cell], index: int, count: int) -> list[Cell]:
    """The cells that machine `index` of `count` runs (from 1); cells that share a training go to one machine."""
    keys = list(dict.fromkeys(cell.training_key() for cell in cells))
    mine = set(keys[index - 1 :: count])
    return [cell for cell in cells if cell.training_key() in mine]


def is_done(cell: Cell, results: Path) -> bool:
    """Whether the cell's record is there and of the same configuration."""
    path = record_of(cell).path(results)
    if not path.exists():
        return False
    return _completed(json.loads(path.read_text())["config"], _defaults(cell)) == cell.values()


def _defaults(cell: Cell) -> dict[str, Any]:
    """What a record leaves out that is older than an option: the option's default, which is what it was run with."""
    defaults: dict[str, Any] = json.loads(RunConfig().to_json()) if isinstance(cell, TrainingCell) else {}
    return defaults


def _completed(recorded: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The recorded values, with defaults where there are none; groups of options are completed alike."""
    completed = defaults | recorded
    for name, value in recorded.items():
        if isinstance(value, dict) and isinstance(defaults.get(name), dict):
            completed[name] = _completed(value, defaults[name])
    return completed


def run(
    cells: Sequence[Cell],
    results: Path,
    work: Path,
    *,
    progress: bool = True,
    report: Callable[[Record], None] = lambda record: None,
) -> list[Record]:
    """Train and evaluate what is not recorded yet. Stopped at any time, it goes on there when called again.

    Under torchrun all processes call it alike: they share each training and evaluation, and the first one records.

    Args:
        cells: of one or more tables, of any kind.
        results: records go there, see `Record.path`.
        work: the trainings' own folders; a training that several cells share is kept there.
        progress: whether to show a bar.
        report: called with each new record.

    Returns:
        The new records.
    """
    records = []
    with joined("auto") as processes:
        waiting = [cell for cell in cells if not is_done(cell, results)]
        processes.wait()  # all have looked before one writes
        hidden = None if progress and processes.first else True
        with tqdm(waiting, desc="ablate", unit="run", disable=hidden) as bar:
            for cell in bar:
                bar.set_postfix_str(f"{cell.table} {cell.row}, seed {cell.seed}")
                record = record_of(cell, **cell.measure(work), **surroundings())
                records.append(record)
                if processes.first:
                    record.write(results)
                    report(record)
        processes.wait()  # what is read next is complete
    return records


def record_of(cell: Cell, **measured: Any) -> Record:
    """The cell's record; without measurements, what names it and says how it was made."""
    nothing = dict(miou=float("nan"), iou={}, groups={}, device="", versions={}, commit="", seconds=0.0)
    return Record(
        table=cell.table,
        row=cell.row,
        preset=cell.preset,
        seed=cell.seed,
        split=cell.split,
        config=cell.values(),
        **(nothing | measured),
    )
