"""Run cells in several processes side by side: two on two cores, or many small trainings on one GPU.

Each process takes one training after another, with all the cells that share it. One process alone starts, counts and
ends them, so that there is one bar, and Ctrl-C stops all. What is recorded is what one process records.
"""

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import torch
from tqdm import tqdm

from dlv3.ablations.cell import Cell
from dlv3.ablations.results import Record
from dlv3.ablations.runner import is_done, measured, stopped
from dlv3.data.loading import WorkerLost

# A forked process could use neither CUDA nor the threads of this one.
CONTEXT: Any = multiprocessing.get_context("spawn")
Group = list[Cell[Any]]
"""Cells that share a training."""


@dataclass(frozen=True)
class Job:
    """A process, and the end of the pipe to it: groups go in; records come out, and None where a group is done."""

    process: BaseProcess
    pipe: Connection


def run_in_jobs(
    cells: Sequence[Cell[Any]], results: Path, work: Path, jobs: int, *, progress: bool = True
) -> list[Record]:
    """Train and evaluate the cells that are not recorded yet, as `dlv3.ablations.runner.run` does, in processes.

    Args:
        cells: of one or more tables, of any kind.
        results: the folder of the records.
        work: the folder of the trainings.
        jobs: the number of processes, which share this one's threads.
        progress: whether to show a bar.

    Returns:
        The new records, in the order in which they were made.

    Raises:
        TrainingStopped: Ctrl-C came; each training has saved its state.
        WorkerLost: a process was killed.
        Exception: that of a cell; the other trainings have saved their state.
    """
    groups = _groups(cell for cell in cells if not is_done(cell, results))
    records: list[Record] = []
    total = sum(map(len, groups))
    with tqdm(total=total, desc="ablate", unit="run", disable=None if progress else True) as bar:
        try:
            with _started(min(jobs, len(groups)), results, work) as started:
                for record in _recorded(groups, started):
                    records.append(record)
                    bar.set_postfix_str(f"{record.table} {record.row}, seed {record.seed}")
                    bar.update()
        except KeyboardInterrupt:
            raise stopped(len(records), total, signal.SIGINT) from None
    return records


def _groups(cells: Iterable[Cell[Any]]) -> deque[Group]:
    groups: dict[str, Group] = {}
    for cell in cells:
        groups.setdefault(cell.training_key(), []).append(cell)
    return deque(groups.values())


def _recorded(groups: deque[Group], jobs: Sequence[Job]) -> Iterator[Record]:
    """Hand the groups out, and yield the records that come back.

    Raises:
        WorkerLost: a process was killed.
        Exception: that of a cell.
    """
    busy = {job.pipe: job for job in jobs}
    for job in jobs:
        job.pipe.send(groups.popleft())
    while busy:
        for pipe in wait(list(busy)):
            ready = cast(Connection, pipe)
            try:
                found = ready.recv()
            except (EOFError, ConnectionError):
                raise _lost(busy[ready].process) from None
            if isinstance(found, Record):
                yield found
            elif isinstance(found, Exception):
                raise found
            elif groups:
                ready.send(groups.popleft())
            else:
                del busy[ready]


def _lost(process: BaseProcess) -> WorkerLost:
    process.join()
    code = process.exitcode or 0
    how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
    return WorkerLost(
        f"a process of --jobs {how}, perhaps because the memory was not enough; what is recorded stays: repeat the "
        "command, with fewer --jobs"
    )


@contextmanager
def _started(jobs: int, results: Path, work: Path) -> Iterator[list[Job]]:
    """Start processes. At the end, or after an error, they end: idle ones at once, others when they have saved."""
    threads = max(1, torch.get_num_threads() // max(1, jobs))
    started = []
    try:
        for _ in range(jobs):
            ours, theirs = CONTEXT.Pipe()
            process = CONTEXT.Process(target=_serve, args=(theirs, results, work, threads))
            process.start()
            theirs.close()
            started.append(Job(process, ours))
        yield started
        for job in started:
            job.pipe.close()  # at which an idle process ends
    finally:
        _end(started)


def _end(jobs: Sequence[Job]) -> None:
    """Wait for the processes, after a signal to those that are still at work. A second Ctrl-C ends them at once."""
    try:
        for job in jobs:
            if not job.pipe.closed:
                job.process.terminate()
        for job in jobs:
            job.process.join()
    except KeyboardInterrupt:
        for job in jobs:
            job.process.kill()
        raise


def _serve(pipe: Connection, results: Path, work: Path, threads: int) -> None:
    """Run the groups of cells that come through the pipe, until it is closed."""
    # Ctrl-C reaches this process as well; its parent decides. A training takes the signal for a wish to be saved.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    # The pipe ends with the work, or with a parent that was killed; a second Ctrl-C ends a training at once.
    with suppress(EOFError, ConnectionError, KeyboardInterrupt):
        while True:
            group = pipe.recv()
            try:
                for cell in group:
                    record = measured(cell, work)
                    record.write(results)
                    pipe.send(record)
                pipe.send(None)
            except Exception as error:
                pipe.send(_portable(error))
                return


def _end_with_parent() -> None:
    """End this process, with its training saved, where its parent was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _portable(error: Exception) -> Exception:
    """Return an error that a pipe can carry, with its traceback as a note."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
