"""Nothing is lost: whatever stops a run, it resumes to the same weights as one that was never stopped.

The killed runs are processes of their own, forked from a server that has imported the library once.
"""

import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
import torch
from training_runs import assert_same_run, final_weights, metrics, short_run

from dlv3 import files
from dlv3.presets import RunConfig
from dlv3.training import TrainingDiverged, TrainingStopped, checkpoint, train
from dlv3.training.updates import Updater

SLOW = 120  # seconds that no test waits for


@pytest.fixture(autouse=True)
def one_thread():
    """Sums depend on how threads share them, so all runs that are compared have one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["dlv3.training.run", "dlv3.data.scenes"])
    return context


def run_to_the_end(config: RunConfig, out: Path, *, resume: bool = False) -> Path:
    train(config, out, resume=resume, progress=False)
    return out


class SuddenEndError(Exception):
    """Stands for whatever ends a run without warning."""


def stop_after(monkeypatch: pytest.MonkeyPatch, updates: int) -> None:
    """Let the training fail at its next update but `updates`."""
    genuine, done = Updater.update, []

    def update(self: Updater, iteration: int, batches: object) -> torch.Tensor:
        if len(done) == updates:
            raise SuddenEndError
        done.append(iteration)
        return genuine(self, iteration, batches)

    monkeypatch.setattr(Updater, "update", update)


def resumed_once(config: RunConfig, out: Path, after: int) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, after)
        with pytest.raises(SuddenEndError):
            train(config, out, progress=False)
    return run_to_the_end(config, out, resume=True)


@pytest.mark.parametrize("after", [0, 1, 5, 6])
def test_resumed_run_ends_in_the_same_weights_and_metrics(tmp_path: Path, after: int):
    config = short_run(iterations=7, checkpoint_interval=3, log_interval=2, validation_interval=3)
    run_to_the_end(config, tmp_path / "whole")
    resumed_once(config, tmp_path / "resumed", after)
    assert_same_run(tmp_path / "whole", tmp_path / "resumed")
    assert [m["iteration"] for m in metrics(tmp_path / "whole") if m["kind"] == "train"] == [2, 4, 6, 7]
    assert [m["iteration"] for m in metrics(tmp_path / "whole") if m["kind"] == "validation"] == [3, 6, 7]


@pytest.mark.parametrize(
    "options",
    [
        dict(accumulate=2),
        dict(freeze_batch_norm=True),
        dict(channels_last=False),
        dict(downsample_labels=True, precision="bfloat16"),
        dict(workers=2),
        dict(schedule="step", step_every=2, photometric=0.5, scale_step=0.25),
        dict(optimizer="adamw", front_learning_rate=0.1),
    ],
    ids=lambda options: "-".join(options),
)
def test_resuming_is_exact_with_every_option(tmp_path: Path, options: dict):
    config = short_run(iterations=5, checkpoint_interval=2, **options)
    run_to_the_end(config, tmp_path / "whole")
    resumed_once(config, tmp_path / "resumed", after=3)
    assert_same_run(tmp_path / "whole", tmp_path / "resumed")


def test_auxiliary_classifier_is_resumed_too(tmp_path: Path):
    config = short_run(model=dict(aux=True), iterations=4, checkpoint_interval=2)
    run_to_the_end(config, tmp_path / "whole")
    resumed_once(config, tmp_path / "resumed", after=3)
    assert_same_run(tmp_path / "whole", tmp_path / "resumed")


def test_another_seed_gives_other_weights(tmp_path: Path):
    for seed in (0, 1):
        run_to_the_end(short_run(iterations=1, seed=seed), tmp_path / str(seed))
    with pytest.raises(AssertionError):
        assert_same_run(tmp_path / "0", tmp_path / "1")


def test_random_numbers_drawn_by_others_change_nothing(tmp_path: Path):
    config = short_run(iterations=2)
    run_to_the_end(config, tmp_path / "a")
    torch.manual_seed(99)
    before = torch.get_rng_state()
    run_to_the_end(config, tmp_path / "b")
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path):
    config = short_run(iterations=3, validation_interval=2)
    out = run_to_the_end(config, tmp_path / "run")
    weights, lines = final_weights(out), metrics(out)
    run_to_the_end(config, out, resume=True)
    assert all(torch.equal(t, weights[name]) for name, t in final_weights(out).items())
    assert metrics(out) == lines


# -- SIGKILL ----------------------------------------------------------------------------------------------------


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


def wait_for(condition: object, child: multiprocessing.Process) -> None:
    end = time.monotonic() + SLOW
    while not condition():
        assert child.is_alive(), "the training ended by itself"
        assert time.monotonic() < end
        time.sleep(0.005)


def kill(child: multiprocessing.Process) -> None:
    os.kill(child.pid, signal.SIGKILL)
    child.join()


def test_killed_at_random_moments_again_and_again(tmp_path: Path, processes: multiprocessing.context):
    config = short_run(iterations=24, checkpoint_interval=2, log_interval=4, validation_interval=10)
    run_to_the_end(config, tmp_path / "whole")
    out, moments, reached = tmp_path / "killed", random.Random(0), []
    while True:
        child = processes.Process(target=train_in_child, args=(config, out))
        child.start()
        # Longer from life to life: however slow the machine is, one of them reaches the next checkpoint.
        child.join(moments.uniform(0.05, 0.3) * (1 + len(reached) / 5))
        if child.exitcode is not None:
            break
        kill(child)
        saved = out / "checkpoint.pt"
        reached.append(checkpoint.load(saved)["iteration"] if saved.exists() else 0)
    assert child.exitcode == 0
    assert len(set(reached)) >= 3, reached
    assert_same_run(tmp_path / "whole", out)


@pytest.mark.parametrize("call", [1, 2, 4])
def test_killed_inside_a_checkpoints_write(tmp_path: Path, processes: multiprocessing.context, call: int):
    config = short_run(iterations=8, checkpoint_interval=2, log_interval=3)
    run_to_the_end(config, tmp_path / "whole")
    out, marker = tmp_path / "killed", tmp_path / "writing"
    child = processes.Process(target=train_and_hang_in_a_write, args=(config, out, call, marker))
    child.start()
    wait_for(marker.exists, child)
    kill(child)
    half = (out / ".checkpoint.pt.part").stat().st_size
    if call > 1:
        assert checkpoint.load(out / "checkpoint.pt")["iteration"] == 2 * (call - 1)
        assert half < (out / "checkpoint.pt").stat().st_size
    run_to_the_end(config, out, resume=True)
    assert_same_run(tmp_path / "whole", out)
    assert not (out / ".checkpoint.pt.part").exists()


# -- signals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_saves_after_the_update_and_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
):
    config = short_run(iterations=6, checkpoint_interval=100, log_interval=4)
    run_to_the_end(config, tmp_path / "whole")
    genuine, out = Updater.update, tmp_path / "stopped"

    def update(self: Updater, iteration: int, batches: object) -> torch.Tensor:
        if iteration == 2:
            os.kill(os.getpid(), number)
        return genuine(self, iteration, batches)

    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(Updater, "update", update)
        with pytest.raises(TrainingStopped, match=r"after iteration 3 of 6.*--resume") as stopped:
            train(config, out, progress=False)
    assert stopped.value.signal == number
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert checkpoint.load(out / "checkpoint.pt")["iteration"] == 3
    assert not (out / "model.safetensors").exists()
    run_to_the_end(config, out, resume=True)
    assert_same_run(tmp_path / "whole", out)


def test_signal_during_a_validation_stops_at_once_and_validates_when_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = short_run(iterations=4, validation_interval=2)
    run_to_the_end(config, tmp_path / "whole")
    out = tmp_path / "stopped"

    def endless(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SLOW)

    with monkeypatch.context() as patch:
        patch.setattr("dlv3.training.loop.evaluate", endless)
        with pytest.raises(TrainingStopped, match="after iteration 2"):
            train(config, out, progress=False)
    run_to_the_end(config, out, resume=True)
    assert_same_run(tmp_path / "whole", out)
    assert [m["iteration"] for m in metrics(out) if m["kind"] == "validation"] == [2, 4]


def test_second_ctrl_c_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def update(self: Updater, iteration: int, batches: object) -> torch.Tensor:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(SLOW)

    monkeypatch.setattr(Updater, "update", update)
    with pytest.raises(KeyboardInterrupt):
        train(short_run(), tmp_path / "run", progress=False)


# -- numbers that are none --------------------------------------------------------------------------------------


def test_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    genuine = Updater.update

    def update(self: Updater, iteration: int, batches: object) -> torch.Tensor:
        loss = genuine(self, iteration, batches)
        return loss * torch.nan if iteration == 4 else loss

    monkeypatch.setattr(Updater, "update", update)
    config = short_run(iterations=12, checkpoint_interval=3, log_interval=12)
    with pytest.raises(TrainingDiverged, match=r"loss is nan at iteration 5.*last good checkpoint"):
        train(config, tmp_path / "run", progress=False)
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["iteration"] == 3


def test_checkpoint_never_holds_weights_that_are_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    genuine = Updater.update

    def update(self: Updater, iteration: int, batches: object) -> torch.Tensor:
        loss = genuine(self, iteration, batches)
        if iteration == 3:  # the loss is still finite
            with torch.no_grad():
                next(self.model.parameters())[0] = torch.inf
        return loss

    monkeypatch.setattr(Updater, "update", update)
    config = short_run(iterations=12, checkpoint_interval=2, log_interval=12)
    with pytest.raises(TrainingDiverged, match="a weight is not finite after iteration 4"):
        train(config, tmp_path / "run", progress=False)
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    assert state["iteration"] == 2
    assert all(t.isfinite().all() for t in state["model"].values())


def test_learning_rate_far_too_high_ends_in_the_message(tmp_path: Path):
    config = short_run(iterations=40, learning_rate=1e18, log_interval=5)
    with pytest.raises(TrainingDiverged, match=r"lower training\.learning_rate"):
        train(config, tmp_path / "run", progress=False)
