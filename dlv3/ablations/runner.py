"""Run cells of tables: each training once, each score recorded, nothing repeated."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dlv3.ablations.cell import Cell
from dlv3.ablations.paper.cell import TrainingCell
from dlv3.ablations.results import Record, read_record, record_path
from dlv3.ablations.surroundings import surroundings
from dlv3.config.run import RunConfig
from dlv3.training.distributed import joined
from dlv3.training.stopping import TrainingStopped


def shard_of(cells: Sequence[Cell[Any]], index: int, count: int) -> list[Cell[Any]]:
    """Return the cells of machine `index` of `count` (from 1); cells that share a training stay together."""
    keys = list(dict.fromkeys(cell.training_key() for cell in cells))
    mine = set(keys[index - 1 :: count])
    return [cell for cell in cells if cell.training_key() in mine]


def is_done(cell: Cell[Any], results: Path) -> bool:
    """Return whether the cell is recorded with the same configuration."""
    path = record_path(results, cell.preset, cell.table, cell.row, cell.seed)
    if not path.exists():
        return False
    return same_configuration(cell, read_record(path).config)


def same_configuration(cell: Cell[Any], recorded: dict[str, Any]) -> bool:
    """Return whether a recorded configuration is the cell's.

    A record that is older than an option leaves it out, and was run with what is the option's default.
    """
    defaults: dict[str, Any] = json.loads(RunConfig().to_json()) if isinstance(cell, TrainingCell) else {}
    return _completed(recorded, defaults) == cell.values()


def _completed(recorded: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the recorded values, with defaults for those that are missing, in groups of options too."""
    completed = defaults | recorded
    for name, value in recorded.items():
        if isinstance(value, dict) and isinstance(defaults.get(name), dict):
            completed[name] = _completed(value, defaults[name])
    return completed


def run(
    cells: Sequence[Cell[Any]],
    results: Path,
    work: Path,
    *,
    progress: bool = True,
    report: Callable[[Record], None] = lambda record: None,
) -> list[Record]:
    """Train and evaluate the cells that are not recorded yet. A run that was stopped resumes when called again.

    Under torchrun every process calls this alike: they share each training and evaluation, and the first one writes
    the records.

    Args:
        cells: of one or more tables, of any kind.
        results: the folder of the records, see `record_path`.
        work: the folder of the trainings; one that several cells share is kept there.
        progress: whether to show a bar.
        report: called with each new record.

    Returns:
        The new records.

    Raises:
        TrainingStopped: Ctrl-C or SIGTERM came; the training has saved its state.
    """
    records: list[Record] = []
    with joined("auto") as processes:
        waiting = [cell for cell in cells if not is_done(cell, results)]
        processes.wait()  # all have looked before one writes
        hidden = None if progress and processes.first else True
        with tqdm(waiting, desc="ablate", unit="run", disable=hidden) as bar:
            for cell in bar:
                bar.set_postfix_str(f"{cell.table} {cell.row}, seed {cell.seed}")
                try:
                    record = measured(cell, work)
                except TrainingStopped as stop:
                    raise stopped(len(records), len(waiting), stop.signal) from None
                records.append(record)
                if processes.first:
                    record.write(results)
                    report(record)
        processes.wait()  # the records are complete before anyone reads them
    return records


def stopped(done: int, total: int, signal_number: int) -> TrainingStopped:
    """Return the end of a sweep that a signal stopped, in words for the command's user."""
    return TrainingStopped(
        f"stopped; {done} of {total} runs are recorded, and every training has saved its state: repeat the command to "
        "continue",
        signal_number,
    )


def measured(cell: Cell[Any], work: Path) -> Record:
    """Train and evaluate a cell. Returns its record, which is not written yet."""
    return Record(
        table=cell.table,
        row=cell.row,
        preset=cell.preset,
        seed=cell.seed,
        split=cell.split,
        config=cell.values(),
        **cell.measure(work),
        **surroundings(),
    )
