"""`dlv3 ablate`: run the paper's tables, the probes and the studies, and report what was recorded."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from dlv3 import assets
from dlv3.ablations.catalogue import EVERY_TABLE, cells_of, tables_at
from dlv3.ablations.publish import publish
from dlv3.ablations.report import report, table_report
from dlv3.ablations.results import read
from dlv3.ablations.runner import is_done, run, shard_of
from dlv3.ablations.table import Table
from dlv3.cli.parsing import parse
from dlv3.printed import say

RESULTS = Path("data/results")


@dataclass(frozen=True)
class AblateArguments:
    """Run tables of the paper as experiments: each row with each seed, trained and evaluated, one JSON file a run.

    P1 to P7 are probes: small tasks made so that one mechanism of the paper alone decides. A run takes seconds on one
    core and is scored by accuracy. P1: the rate that reaches the context, P2: parallel rates, P3: image-level
    features, P4: the degenerate filter, P5: gridding and multi-grid, P6: output stride, P7: the cascade.
    S1 to S6 are studies: where atrous rates, ASPP and image pooling pay on the scenes. Heads are trained on frozen
    features, in seconds for each run. S1: field of view, S2: parallel rates, S3: image pooling, S4: the backbone's
    depth, S5: the map's size, S6: larger pictures.
    What is recorded already is not run again: repeat the command to continue a sweep that was stopped.
    Several GPUs share each training under torchrun: torchrun --nproc-per-node 8 -m dlv3 ablate T5 --preset paper.
    """

    tables: tyro.conf.Positional[tuple[str, ...]] = ()
    """The paper's tables T1 to T6, T8, T9, T10, the probes P1 to P7 and the studies S1 to S6; all of the preset's
    when left out."""
    preset: Literal["tiny", "laptop", "quarter", "quarter-heads", "gpu", "paper"] = "laptop"
    """The scale, see dlv3 train --help. quarter and quarter-heads have the paper's maps and rates, and rows of their
    own: controls of equal parameters, and longer schedules. Probes and studies have one scale and run at laptop
    only."""
    seeds: int = 3
    """Runs of each row, with seeds 0, 1, …"""
    shard: str = "1/1"
    """i/n: the i-th of n parts, one for each of n machines that share the folder of the results or merge it later."""
    results: Path = RESULTS
    """The folder of the records. If there is no data/results, --report prints those that come with dlv3."""
    work: Path = Path("runs/ablations")
    """The folder of the trainings; rows that differ only in the evaluation share one."""
    report: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run nothing; print the tables from what is recorded."""
    publish: Path | None = None
    """Run nothing; write the report, with a figure for each table, into the folder of the results, and the findings
    in brief into this Markdown file, such as README.md (needs matplotlib)."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Run nothing; print what would be run."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 ablate`. Returns the exit status."""
    return ablate_command(parse(AblateArguments, argv, "dlv3 ablate"))


def ablate_command(arguments: AblateArguments) -> int:
    """Run `dlv3 ablate`. Returns the exit status, 0.

    Raises:
        ValueError: no such table, one that the preset does not have, a bad shard or number of seeds, or nothing to
            publish.
        OSError: a file cannot be written.
    """
    tables = [_table(name) for name in arguments.tables] or tables_at(arguments.preset)
    if arguments.report:
        names = {table.name for table in tables}
        records = read(_to_report(arguments.results))
        say(
            *report([r for r in records if r.table in names], arguments.preset).removesuffix("\n").split("\n")
        )
        return 0
    if arguments.publish is not None:
        for path in publish(arguments.results, arguments.publish, arguments.preset):
            say(path)
        return 0
    if arguments.seeds < 1:
        raise ValueError(f"--seeds {arguments.seeds}: expected at least 1")
    index, count = _shard(arguments.shard)
    wanted = [cell for table in tables for cell in cells_of(table, arguments.preset, arguments.seeds)]
    wanted = shard_of(wanted, index, count)
    if arguments.dry_run:
        for cell in wanted:
            state = "recorded" if is_done(cell, arguments.results) else f"training {cell.training_key()}"
            say(f"{cell.table} {cell.row}, seed {cell.seed}: {state}")
        return 0
    reports = os.environ.get("RANK", "0") == "0"  # under torchrun one process does
    if reports:
        say(f"dlv3: the records go to {arguments.results.resolve()}", error=True)
    run(wanted, arguments.results, arguments.work)
    if not reports:
        return 0
    records = read(arguments.results)
    for table in tables:
        ours = [r for r in records if r.table == table.name and r.preset == arguments.preset]
        say(*table_report(table, ours, arguments.preset).split("\n"), "")
    return 0


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
