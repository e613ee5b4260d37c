"""SIGKILL at any moment: the run resumes to the same weights as one that was never stopped.

The killed runs are processes of their own.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
from child_processes import CONTEXT
from training_runs import assert_same_run, run_to_the_end, short_run

from dlv3 import files
from dlv3.config.run import RunConfig
from dlv3.training import checkpoint, train

pytestmark = pytest.mark.usefixtures("one_thread")

SLOW = 120  # seconds that no test waits for
Whole = Callable[[RunConfig], Path]


def train_in_child(config: RunConfig, out: Path) -> None:
    torch.set_num_threads(1)
    train(config, out, resume=True, progress=False)


def train_and_hang_in_a_write(config: RunConfig, out: Path, call: int, marker: Path) -> None:
    """Train, but write only half of the `call`-th checkpoint, say so, and hang."""
    genuine, calls = files._write, []

    def write(file: object, content: memoryview) -> None:
        if Path(file.name).name == ".checkpoint.pt.part":
            calls.append(1)
            if len(calls) == call:
                genuine(file, content[: len(content) // 2])
                file.flush()
                marker.touch()
                time.sleep(SLOW)
        genuine(file, content)

    files._write = write
    train_in_child(config, out)


def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
    child = CONTEXT.Process(target=work, args=arguments)
    child.start()
    return child


def wait_for(condition: Callable[[], bool], child: BaseProcess) -> None:
    """Wait until the condition holds, or the child has ended."""
    end = time.monotonic() + SLOW
    while not condition() and child.is_alive():
        assert time.monotonic() < end
        time.sleep(0.005)


def kill(child: BaseProcess) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.join()


def written(file: Path) -> int:
    """When the file was last written; 0 where there is none."""
    return file.stat().st_mtime_ns if file.exists() else 0


@pytest.mark.slow
def test_killed_at_random_moments_again_and_again(tmp_path: Path, uninterrupted: Whole):
    config = short_run(iterations=16, checkpoint_interval=2, log_interval=4, validation_interval=10)
    whole = uninterrupted(config)
    out, moments, reached = tmp_path / "killed", random.Random(0), []
    saved = out / "checkpoint.pt"
    while True:
        before = written(saved)
        child = start(train_in_child, config, out)
        # Every third life ends while it begins, the others at some moment after their first checkpoint: in an
        # update, a validation or a write.
        if len(reached) % 3:
            wait_for(lambda before=before: written(saved) != before, child)
        child.join(moments.uniform(0, 0.25))
        if child.exitcode is not None:
            break
        kill(child)
        reached.append(checkpoint.load(saved)["iteration"] if saved.exists() else 0)
    assert child.exitcode == 0
    assert len(set(reached)) >= 3, reached
    assert_same_run(whole, out)


@pytest.mark.parametrize("call", [1, 2, 4])
def test_killed_inside_a_checkpoints_write(tmp_path: Path, uninterrupted: Whole, call: int):
    config = short_run(iterations=8, checkpoint_interval=2, log_interval=3)
    whole = uninterrupted(config)
    out, marker = tmp_path / "killed", tmp_path / "writing"
    child = start(train_and_hang_in_a_write, config, out, call, marker)
    wait_for(marker.exists, child)
    assert child.is_alive(), "the training ended by itself"
    kill(child)
    half = (out / ".checkpoint.pt.part").stat().st_size
    if call > 1:
        assert checkpoint.load(out / "checkpoint.pt")["iteration"] == 2 * (call - 1)
        assert half < (out / "checkpoint.pt").stat().st_size
    run_to_the_end(config, out, resume=True)
    assert_same_run(whole, out)
    assert not (out / ".checkpoint.pt.part").exists()
