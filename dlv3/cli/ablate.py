"""`dlv3 ablate`: run the paper's tables, the probes and the studies, and report what was recorded."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from dlv3 import assets
from dlv3.ablations.catalogue import EVERY_TABLE, cells_of, tables_at
from dlv3.ablations.cell import Cell
from dlv3.ablations.jobs import run_in_jobs
from dlv3.ablations.paper import on_folder
from dlv3.ablations.paper.cell import TrainingCell
from dlv3.ablations.paper.cost import Estimate, estimate, shown
from dlv3.ablations.paper.on_folder import Folder
from dlv3.ablations.paper.tables import TABLES
from dlv3.ablations.publish import publish
from dlv3.ablations.report import note_on_seeds, report
from dlv3.ablations.results import read
from dlv3.ablations.runner import is_done, run, shard_of
from dlv3.ablations.table import Table
from dlv3.cli.parsing import parse
from dlv3.cli.table_options import FolderOptions, TableTraining
from dlv3.config.data import DataConfig
from dlv3.config.presets import PRESETS
from dlv3.printed import say
from dlv3.ranges import Whole
from dlv3.training.classes import report_classes
from dlv3.training.distributed import processes_started, rank_given

RESULTS = Path("data/results")
Scale = Literal["tiny", "laptop", "quarter", "quarter-heads", "gpu", "paper"]


@dataclass(frozen=True)
class AblateArguments:
    """Run tables of the paper as experiments: each row with each seed, trained and evaluated, one JSON file a run.

    P1 to P7 are probes: small tasks made so that one mechanism of the paper alone decides. A run takes seconds on one
    core and is scored by accuracy. P1: the rate that reaches the context, P2: parallel rates, P3: image-level
    features, P4: the degenerate filter, P5: gridding and multi-grid, P6: output stride, P7: the cascade.
    S1 to S6 are studies: where atrous rates, ASPP and image pooling pay on the scenes. Heads are trained on frozen
    features, in seconds for each run. S1: field of view, S2: parallel rates, S3: image pooling, S4: the backbone's
    depth, S5: the map's size, S6: larger pictures.
    With --data folder:DIR the paper's tables run on your own photos, with a preset's network and a schedule of yours:
    the options of the folder (--ignore 11) and --training.* are as in dlv3 train, and ASPP's rates fit the crop.
    What is recorded already is not run again: repeat the command to continue a sweep that was stopped.
    Several GPUs share each training under torchrun: torchrun --nproc-per-node 8 -m dlv3 ablate T5 --preset paper.
    """

    tables: tyro.conf.Positional[tuple[str, ...]] = ()
    """The paper's tables T1 to T6, T8, T9, T10, the probes P1 to P7 and the studies S1 to S6; all of the preset's
    when left out."""
    preset: Scale = "laptop"
    """The scale, see dlv3 train --help. quarter and quarter-heads have the paper's maps and rates, and rows of their
    own: controls of equal parameters, and longer schedules. Probes and studies have one scale and run at laptop
    only."""
    data: str | None = None
    """folder:DIR: run the tables T1 to T10 on this folder of pictures and masks, and score its validation pictures.
    Its records are kept apart, in a folder of its name below --results."""
    rows: tuple[str, ...] = ()
    """Only these rows, by the names that --dry-run prints, such as "resnet50 block4" "(1, 1, 1), no ASPP"."""
    seeds: Annotated[int, Whole(1, 1000)] = 3
    """Runs of each row, with seeds 0, 1, …"""
    shard: str = "1/1"
    """i/n: the i-th of n parts, one for each of n machines that share the folder of the results or merge it later."""
    jobs: Annotated[int, Whole(1, 256)] = 1
    """Processes that train side by side and share the machine's threads, or one GPU: as many as the processor has
    cores for the small presets."""
    results: Path = RESULTS
    """The folder of the records. If there is no data/results, --report prints those that come with dlv3."""
    work: Path = Path("runs/ablations")
    """The folder of the trainings; rows that differ only in the evaluation share one."""
    report: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run nothing; print the tables from what is recorded."""
    publish: Path | None = None
    """Run nothing; write the report of every preset that is recorded, with a figure for each table, into the folder of
    the results, and the findings in brief into this Markdown file, such as README.md (needs matplotlib)."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run nothing; print what would be run, with --data also how long it would take."""
    options: Annotated[FolderOptions, tyro.conf.arg(name="")] = field(default_factory=FolderOptions)
    training: TableTraining = field(default_factory=TableTraining)
    """With --data: the schedule of all rows. Its batch and crop stand for the paper's 16 and 513; rows with other ones
    have their share of them."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 ablate`. Returns the exit status."""
    default = defaults(argv)
    arguments = parse(AblateArguments, argv, "dlv3 ablate", default)
    if arguments.data is None and (arguments.options, arguments.training) != (
        default.options,
        default.training,
    ):
        raise ValueError(
            "--training.* and the options of a folder are for --data folder:DIR: a preset's own tables have one "
            "schedule"
        )
    return ablate_command(arguments)


def defaults(argv: Sequence[str]) -> AblateArguments:
    """Return the options before the command line changes them: the schedule is the preset's."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    early.add_argument("--preset", nargs="?", default="laptop")
    try:
        name = early.parse_known_args(argv)[0].preset
    except argparse.ArgumentError:  # which tyro refuses
        name = "laptop"
    # tyro refuses any other name.
    return AblateArguments(training=TableTraining.of(name if name in PRESETS else "laptop"))


def ablate_command(arguments: AblateArguments) -> int:
    """Run `dlv3 ablate`. Returns the exit status, 0.

    Raises:
        ValueError: a table that does not exist, one that the preset does not have, a bad shard, or nothing to publish.
        OSError: a file cannot be written.
    """
    for option, place in (("--results", arguments.results), ("--work", arguments.work)):
        if place.exists() and not place.is_dir():
            raise ValueError(f"{option} {place}: is a file; give a folder")
    tables = _tables(arguments)
    if arguments.report:
        _print_report(arguments, tables)
        return 0
    if arguments.publish is not None:
        if arguments.data is not None:
            raise ValueError("--publish with --data: the pages are of all that is recorded; leave --data out")
        for path in publish(arguments.results, arguments.publish):
            say(path)
        return 0
    _require_jobs(arguments.jobs)
    index, count = _shard(arguments.shard)
    folder = _folder(arguments)
    base = None if folder is None else folder.base
    wanted = _of_rows(
        [cell for table in tables for cell in cells_of(table, arguments.preset, arguments.seeds, base)],
        arguments.rows,
    )
    wanted = shard_of(wanted, index, count)
    results = _results(arguments)
    costs = None if folder is None else _checked(folder, wanted, arguments, results)
    if arguments.dry_run:
        _print_plan(wanted, results, costs)
        return 0
    reports = rank_given() == 0  # under torchrun one process does
    if reports:
        say(f"dlv3: the records go to {results.resolve()}", error=True)
    if arguments.jobs == 1:
        run(wanted, results, arguments.work)
    else:
        run_in_jobs(wanted, results, arguments.work, arguments.jobs)
    if reports:
        _print_tables(tables, results, arguments.preset)
    return 0


def _require_jobs(jobs: int) -> None:
    if jobs > 1 and processes_started() > 1:
        raise ValueError(
            f"--jobs {jobs} under torchrun, whose processes share each training: give one of the two"
        )


def _tables(arguments: AblateArguments) -> list[Table[Any]]:
    if arguments.tables:
        return [_table(name) for name in arguments.tables]
    return tables_at(arguments.preset) if arguments.data is None else list(TABLES.values())


def _results(arguments: AblateArguments) -> Path:
    """Return the folder of the records: of the presets' own data, or the one of a folder of photos."""
    if arguments.data is None:
        return arguments.results
    return on_folder.records_folder(arguments.results, arguments.data)


def _folder(arguments: AblateArguments) -> Folder | None:
    """Open the folder of photos, if one is given."""
    if arguments.data is None:
        return None
    data = DataConfig(**asdict(arguments.options))
    return on_folder.open_folder(arguments.data, arguments.preset, data, arguments.training.config())


def _checked(
    folder: Folder, wanted: Sequence[Cell[Any]], arguments: AblateArguments, results: Path
) -> Estimate | None:
    """Check that the runs have a meaning on the folder, and say what they are and take, before any of them starts."""
    cells = [cell for cell in wanted if isinstance(cell, TrainingCell)]
    on_folder.require_room(folder, cells)
    on_folder.require_meaning(cells)
    on_folder.require_same_options(folder, arguments.preset, results)
    if processes_started() > 1:
        return None  # an update of several processes takes all of them
    report_classes(folder.train, folder.base.dataset)
    say(f"dlv3: {folder.about()}", error=True)
    training = folder.base.training
    if training.pretrained is None and training.front_learning_rate < 1:
        say(
            "dlv3: nothing is pretrained, and the stem to block3 learn at "
            f"{training.front_learning_rate:g} of the learning rate (training.front_learning_rate)",
            error=True,
        )
    waiting = [cell for cell in cells if not is_done(cell, results)]
    costs = estimate(waiting, folder.train, folder.val, arguments.work)
    say(f"dlv3: {len(cells) - len(waiting)} recorded before; {costs.about(arguments.jobs)}", error=True)
    return costs


def _of_rows(cells: Sequence[Cell[Any]], rows: Sequence[str]) -> list[Cell[Any]]:
    """Return the cells of some rows; of all where none is named.

    Raises:
        ValueError: no table has such a row.
    """
    known = dict.fromkeys(cell.row for cell in cells)
    for row in rows:
        if row not in known:
            raise ValueError(f"--rows {row!r}: the tables asked for have {', '.join(map(repr, known))}")
    return [cell for cell in cells if not rows or cell.row in rows]


def _print_plan(wanted: Sequence[Cell[Any]], results: Path, costs: Estimate | None) -> None:
    seconds = iter(costs.seconds if costs is not None else ())
    for cell in wanted:
        state = "recorded" if is_done(cell, results) else f"training {cell.training_key()}"
        about = f", about {shown(next(seconds))}" if costs is not None and state != "recorded" else ""
        say(f"{cell.table} {cell.row}, seed {cell.seed}: {state}{about}")


def _print_report(arguments: AblateArguments, tables: Sequence[Table[Any]]) -> None:
    here = replace(arguments, results=_to_report(arguments.results))
    _print_tables(tables, _results(here), arguments.preset)


def _print_tables(tables: Sequence[Table[Any]], results: Path, preset_name: str) -> None:
    names = {table.name for table in tables}
    ours = [record for record in read(results) if record.preset == preset_name and record.table in names]
    _say_parts(report(ours, preset_name).removesuffix("\n"), note_on_seeds(ours))


def _say_parts(*parts: str) -> None:
    """Print texts of several lines with an empty line between them."""
    say(*"\n\n".join(filter(None, parts)).split("\n"))


def _to_report(folder: Path) -> Path:
    """Return the folder to report: without the default one here, the package's, and say so."""
    if folder != RESULTS or folder.is_dir():
        return folder
    say(f"dlv3: no {folder} here; these records come with dlv3: {assets.records()}", error=True)
    return assets.records()


def _table(name: str) -> Table[Any]:
    if name not in EVERY_TABLE:
        raise ValueError(f"{name!r} is not a table; expected one of {', '.join(EVERY_TABLE)}")
    return EVERY_TABLE[name]


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match and 1 <= int(match[1]) <= int(match[2]):
        return int(match[1]), int(match[2])
    raise ValueError(f"--shard {text!r}: expected i/n with i from 1 to n, such as 2/4")
