"""Cells in several processes: the records of one process, and one end for all of them."""

import os
import signal
import threading
import time
from dataclasses import asdict, replace

import child_processes
import pytest
import torch
from fake_cells import fake

from dlv3.ablations import TABLES, cells, jobs, read, runner
from dlv3.ablations.jobs import run_in_jobs
from dlv3.ablations.paper.configure import base_of
from dlv3.config.data import DataConfig
from dlv3.data.loading import WorkerLost
from dlv3.training.stopping import TrainingStopped


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Processes that are forked from one that has torch already."""
    monkeypatch.setattr(jobs, "CONTEXT", child_processes.CONTEXT)


@pytest.fixture
def folders(tmp_path):
    for name in ("results", "work"):
        (tmp_path / name).mkdir()
    return tmp_path / "results", tmp_path / "work"


def processes(work) -> dict[str, int]:
    """The process that each cell ran in."""
    return {path.name: int(path.read_text()) for path in work.iterdir()}


def gone(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_cells_that_share_a_training_share_a_process_and_none_runs_twice(folders):
    wanted = [fake(f"row {n}", training=n // 2) for n in range(6)]
    found = run_in_jobs(wanted, *folders, 2, progress=False)
    assert sorted(record.row for record in found) == [cell.row for cell in wanted]
    assert sorted(record.row for record in read(folders[0])) == [cell.row for cell in wanted]
    ran = processes(folders[1])
    assert all(ran[f"{n}.row {2 * n}"] == ran[f"{n}.row {2 * n + 1}"] for n in range(3))
    assert os.getpid() not in ran.values()
    assert run_in_jobs(wanted, *folders, 2, progress=False) == []


def test_an_error_is_that_of_the_cell_and_ends_the_others(folders):
    wanted = [fake("long", "wait", 0), fake("bad", "fail", 1)]
    with pytest.raises(ValueError, match="^bad: cannot be run"):
        run_in_jobs(wanted, *folders, 2, progress=False)
    assert all(map(gone, processes(folders[1]).values()))


def test_a_process_that_is_killed_is_one_line_and_ends_the_others(folders):
    wanted = [fake("long", "wait", 0), fake("lost", "die", 1)]
    with pytest.raises(WorkerLost, match=r"a process of --jobs was killed by signal 9.*fewer --jobs"):
        run_in_jobs(wanted, *folders, 2, progress=False)
    assert all(map(gone, processes(folders[1]).values()))


@pytest.fixture
def heard():
    """Ctrl-C is heard, also where the tests were started in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_stops_all_and_says_how_to_continue(folders):
    wanted = [fake("short", training=0), fake("long", "wait", 1), fake("longer", "wait", 2)]

    def press():
        while len(list(folders[1].iterdir())) < 3:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(TrainingStopped, match="1 of 3 runs are recorded.*repeat the command") as stopped:
        run_in_jobs(wanted, *folders, 2, progress=False)
    assert stopped.value.signal == signal.SIGINT
    assert all(map(gone, processes(folders[1]).values()))


@pytest.mark.slow
def test_records_are_those_of_one_process(tmp_path):
    whole = base_of("quarter")
    short = replace(whole.training, iterations=3, batch_size=4, crop_size=65)
    base = replace(whole, data=DataConfig(pictures=4), training=short)
    wanted = cells(TABLES["T2"], "quarter", 1, base)[:2] + cells(TABLES["T4"], "quarter", 1, base)[:2]
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # of which each of two processes has one
    try:
        run_in_jobs(wanted, tmp_path / "two", tmp_path / "work", 2, progress=False)
        torch.set_num_threads(1)
        runner.run(wanted, tmp_path / "one", tmp_path / "alone", progress=False)
    finally:
        torch.set_num_threads(threads)
    two, one = read(tmp_path / "two"), read(tmp_path / "one")
    assert len(one) == 4
    assert [asdict(r) | {"seconds": 0} for r in two] == [asdict(r) | {"seconds": 0} for r in one]
    assert [r.seconds > 0 for r in two] == [True] * 4
