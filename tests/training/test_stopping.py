"""Signals: the update is finished and saved, long work is cut short, and a second Ctrl-C ends at once."""

import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from training_runs import assert_same_run, change_updates, metrics, run_to_the_end, short_run

from dlv3.config.run import RunConfig
from dlv3.evaluation import evaluate
from dlv3.training import TrainingStopped, checkpoint, train
from dlv3.training.stopping import Interrupted, StopRequest

pytestmark = pytest.mark.usefixtures("one_thread")

SLOW = 120  # seconds that no test waits for
Whole = Callable[[RunConfig], Path]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_saves_after_the_update_and_the_run_resumes(
    tmp_path: Path, uninterrupted: Whole, number: signal.Signals
):
    config = short_run(iterations=6, checkpoint_interval=100, log_interval=4)
    out = tmp_path / "stopped"

    def send(update, updater, iteration, batches):
        if iteration == 2:
            os.kill(os.getpid(), number)
        return update(updater, iteration, batches)

    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        change_updates(patch, send)
        with pytest.raises(TrainingStopped, match=r"after iteration 3 of 6.*--resume") as stopped:
            train(config, out, progress=False)
    assert stopped.value.signal == number
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    assert checkpoint.load(out / "checkpoint.pt")["iteration"] == 3
    assert not (out / "model.safetensors").exists()
    run_to_the_end(config, out, resume=True)
    assert_same_run(uninterrupted(config), out)


def test_signal_during_a_validation_stops_at_once_and_validates_when_resumed(
    tmp_path: Path, uninterrupted: Whole
):
    config = short_run(iterations=4, validation_interval=2)
    out = tmp_path / "stopped"

    def endless(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SLOW)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlv3.training.loop.evaluate", endless)
        with pytest.raises(TrainingStopped, match="after iteration 2"):
            train(config, out, progress=False)
    run_to_the_end(config, out, resume=True)
    assert_same_run(uninterrupted(config), out)
    assert [m["iteration"] for m in metrics(out) if m["kind"] == "validation"] == [2, 4]


def test_signal_before_the_first_update_saves_and_the_run_resumes(tmp_path: Path, uninterrupted: Whole):
    config = short_run(iterations=4, validation_interval=2)
    out = tmp_path / "stopped"

    def batches(*args: object) -> Iterator[None]:
        os.kill(os.getpid(), signal.SIGTERM)
        return (each for each in ())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlv3.training.loop.training_batches", batches)
        with pytest.raises(TrainingStopped, match="after iteration 0 of 4"):
            train(config, out, progress=False)
    run_to_the_end(config, out, resume=True)
    assert_same_run(uninterrupted(config), out)


def test_signal_during_the_repeated_last_validation_does_not_leave_it_out(
    tmp_path: Path, uninterrupted: Whole
):
    config = short_run(iterations=4, validation_interval=2)
    out, calls = tmp_path / "stopped", []

    def endless(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            return evaluate(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SLOW)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dlv3.training.loop.evaluate", endless)
        for _ in range(2):
            with pytest.raises(TrainingStopped, match="after iteration 4"):
                train(config, out, resume=True, progress=False)
    run_to_the_end(config, out, resume=True)
    assert_same_run(uninterrupted(config), out)


def test_second_ctrl_c_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def send_twice(update, updater, iteration, batches):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(SLOW)

    change_updates(monkeypatch, send_twice)
    with pytest.raises(KeyboardInterrupt):
        train(short_run(), tmp_path / "run", progress=False)


def test_signal_interrupts_only_what_may_be_interrupted():
    with StopRequest() as stop:
        with stop.interruptible():
            assert stop.signal is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(Interrupted), stop.interruptible():
            os.kill(os.getpid(), signal.SIGTERM)


def test_outside_the_main_thread_signals_keep_their_effect():
    before, inside = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with StopRequest() as stop:
            inside.append((signal.getsignal(signal.SIGINT), stop.signal))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [(before, None)]


def test_a_stop_goes_through_a_pipe():
    stopped = pickle.loads(pickle.dumps(TrainingStopped("saved", signal.SIGTERM)))
    assert (str(stopped), stopped.signal) == ("saved", signal.SIGTERM)
