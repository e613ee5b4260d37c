"""The loop loses nothing: a stopped run resumes to the same weights, and what is not finite is never kept."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from child_processes import CONTEXT
from torch.utils.data import get_worker_info
from training_runs import (
    assert_same_run,
    change_updates,
    final_weights,
    metrics,
    run_to_the_end,
    scored,
    short_run,
)

from dlv3.config.run import RunConfig
from dlv3.data import DataError, open_dataset
from dlv3.data.held import Held
from dlv3.data.loading import WorkerLost
from dlv3.training import TrainingDiverged, checkpoint, train
from dlv3.weights import load_tensors

pytestmark = pytest.mark.usefixtures("one_thread")

Whole = Callable[[RunConfig], Path]


class SuddenEndError(Exception):
    """Stands for anything that ends a run without warning."""


def resumed_once(config: RunConfig, out: Path, after: int) -> Path:
    """A run that fails after some updates and is resumed."""

    def fail(update, updater, iteration, batches):
        if iteration == after:
            raise SuddenEndError
        return update(updater, iteration, batches)

    with pytest.MonkeyPatch.context() as patch:
        change_updates(patch, fail)
        with pytest.raises(SuddenEndError):
            train(config, out, progress=False)
    return run_to_the_end(config, out, resume=True)


@pytest.mark.parametrize("after", [0, 1, 5, 6])
def test_resumed_run_ends_in_the_same_weights_and_metrics(tmp_path: Path, uninterrupted: Whole, after: int):
    config = short_run(iterations=7, checkpoint_interval=3, log_interval=2, validation_interval=3)
    whole = uninterrupted(config)
    assert_same_run(whole, resumed_once(config, tmp_path / "resumed", after))
    assert [m["iteration"] for m in metrics(whole) if m["kind"] == "train"] == [2, 4, 6, 7]
    assert [m["iteration"] for m in metrics(whole) if m["kind"] == "validation"] == [3, 6, 7]


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
        dict(model=dict(aux=True)),
        dict(class_balance="median-frequency"),
        dict(class_weights=(0.1, 1, 2, 1, 1, 1, 3, 0)),
        dict(validation_interval=2, keep_best=True, patience=9),
    ],
    ids=lambda options: "-".join(options),
)
def test_resuming_is_exact_with_every_option(tmp_path: Path, uninterrupted: Whole, options: dict):
    config = short_run(iterations=5, checkpoint_interval=2, **options)
    assert_same_run(uninterrupted(config), resumed_once(config, tmp_path / "resumed", after=3))


def test_another_seed_gives_other_weights(uninterrupted: Whole):
    first, second = (uninterrupted(short_run(iterations=2, seed=seed)) for seed in (0, 1))
    with pytest.raises(AssertionError):
        assert_same_run(first, second)


def test_random_numbers_drawn_by_others_change_nothing(tmp_path: Path, uninterrupted: Whole):
    config = short_run(iterations=2)
    whole = uninterrupted(config)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    run_to_the_end(config, tmp_path / "again")
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_run(whole, tmp_path / "again")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path):
    config = short_run(iterations=3, validation_interval=2)
    out = run_to_the_end(config, tmp_path / "run")
    weights, lines = final_weights(out), metrics(out)
    run_to_the_end(config, out, resume=True)
    assert all(torch.equal(t, weights[name]) for name, t in final_weights(out).items())
    assert metrics(out) == lines


def test_run_that_was_killed_before_its_weights_knows_its_last_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Whole
):
    """Weights make a run complete, so that the checkpoint beside them has to be."""
    config, out = short_run(iterations=2, validation_interval=2), tmp_path / "run"

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dlv3.training.loop.weights.save", killed)
        with pytest.raises(KeyboardInterrupt):
            run_to_the_end(config, out)
    assert checkpoint.load(out / "checkpoint.pt")["validated"] == 2
    run_to_the_end(config, out, resume=True)
    assert_same_run(out, uninterrupted(config))


def test_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    change_updates(
        monkeypatch,
        lambda update, updater, iteration, batches: (
            update(updater, iteration, batches) * (torch.nan if iteration == 4 else 1)
        ),
    )
    config = short_run(iterations=12, checkpoint_interval=3, log_interval=12)
    with pytest.raises(TrainingDiverged, match=r"loss is nan at iteration 5.*last good checkpoint"):
        train(config, tmp_path / "run", progress=False)
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["iteration"] == 3


def test_checkpoint_never_holds_weights_that_are_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def spoil(update, updater, iteration, batches):
        loss = update(updater, iteration, batches)
        if iteration == 3:  # the loss is still finite
            with torch.no_grad():
                next(updater.model.parameters())[0] = torch.inf
        return loss

    change_updates(monkeypatch, spoil)
    config = short_run(iterations=12, checkpoint_interval=2, log_interval=12)
    with pytest.raises(TrainingDiverged, match="a weight is not finite after iteration 4"):
        train(config, tmp_path / "run", progress=False)
    state = checkpoint.load(tmp_path / "run" / "checkpoint.pt")
    assert state["iteration"] == 2
    assert all(t.isfinite().all() for t in state["model"].values())


def test_learning_rate_far_too_high_ends_in_the_message(tmp_path: Path):
    config = short_run(iterations=40, learning_rate=1000, weight_decay=1, log_interval=5)
    with pytest.raises(TrainingDiverged, match=r"lower training\.learning_rate"):
        train(config, tmp_path / "run", progress=False)


class Deadly(Held):
    """Pictures of which one kills the worker that reads it."""

    deadly = True

    def __getitem__(self, index: int):
        if self.deadly and index == 5 and get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_killed_worker_ends_the_run_which_resumes_to_the_same_weights(tmp_path: Path, uninterrupted: Whole):
    config = short_run(iterations=5, checkpoint_interval=100, workers=1, batch_size=2)
    pictures = Deadly(open_dataset("scenes", "train", config.data))
    out = tmp_path / "run"
    with pytest.raises(
        WorkerLost, match=r"was killed.*everything up to iteration \d is saved, resume with --resume"
    ):
        train(config, out, progress=False, train_dataset=pictures)
    assert checkpoint.load(out / "checkpoint.pt")["iteration"] < 5
    assert_same_run(uninterrupted(config), run_to_the_end(config, out, resume=True))


class Broken(Held):
    """Pictures of which one cannot be read."""

    def __getitem__(self, index: int):
        if index == 5:
            raise DataError("5.png: cannot be read")
        return super().__getitem__(index)


def train_and_keep_the_error(out: Path, updates: bool, validations: bool) -> None:
    """Train on broken pictures, in which an error is expected that a program then keeps until its end."""
    # Loaders fork their workers, as they do in a program that is started by itself.
    multiprocessing.set_start_method("fork", force=True)
    config = short_run(iterations=5, workers=2, batch_size=2, validation_interval=2)
    broken, whole = (kind(open_dataset("scenes", "train", config.data)) for kind in (Broken, Held))
    try:
        train(
            config,
            out,
            progress=False,
            train_dataset=broken if updates else whole,
            val_dataset=broken if validations else whole,
        )
    except DataError as error:
        sys.kept = error
    assert "5.png: cannot be read" in str(sys.kept)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["updates", "validations"])
def test_program_that_keeps_the_error_of_a_broken_picture_ends(tmp_path: Path, part: str):
    """Its loaders' workers ignore the signal with which Python ends them; it would wait for them for ever."""
    where = (tmp_path / "run", part == "updates", part == "validations")
    program = CONTEXT.Process(target=train_and_keep_the_error, args=where)
    program.start()
    program.join(120)
    ended = program.exitcode
    program.kill()
    assert ended == 0


def test_best_weights_are_kept_beside_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = short_run(iterations=6, validation_interval=2, keep_best=True)
    scored(monkeypatch, 0.2, 0.5, float("nan"))
    result = train(config, tmp_path / "run", progress=False)
    assert (result.best_miou, result.best_iteration) == (0.5, 4)
    best, about = load_tensors(tmp_path / "run" / "best.safetensors")
    assert (about["dlv3.iteration"], about["dlv3.miou"]) == ("4", "0.5")
    last = final_weights(tmp_path / "run")
    assert any(not torch.equal(tensor, last[name]) for name, tensor in best.items())


def test_best_survives_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = short_run(iterations=6, validation_interval=2, keep_best=True)
    scored(monkeypatch, 0.2, 0.5, 0.3)
    out = resumed_once(config, tmp_path / "run", after=5)
    state = checkpoint.load(out / "checkpoint.pt")
    assert (state["best_miou"], state["best_iteration"], state["without_gain"]) == (0.5, 4, 1)
    assert load_tensors(out / "best.safetensors")[1]["dlv3.iteration"] == "4"


@pytest.mark.parametrize("after", [None, 3, 5])
def test_training_stops_early_and_a_resume_of_it_adds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int | None
):
    config = short_run(
        iterations=20, validation_interval=2, patience=2, log_interval=5, checkpoint_interval=3
    )
    scored(monkeypatch, 0.5, 0.4, 0.3, 0.9)
    out = tmp_path / "run"
    if after is None:
        run_to_the_end(config, out)
    else:
        resumed_once(config, out, after)
    assert checkpoint.load(out / "checkpoint.pt")["iteration"] == 6
    assert [m["iteration"] for m in metrics(out) if m["kind"] == "train"] == [5, 6]
    before = {file: file.read_bytes() for file in out.iterdir() if file.is_file()}
    result = train(config, out, resume=True, progress=False)
    assert (result.iterations, result.trained) == (6, 0)
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_best_without_validation_pictures_is_refused(tmp_path: Path):
    config = short_run(validation_interval=2, patience=2)
    pictures = open_dataset("scenes", "train", config.data)
    with pytest.raises(ValueError, match=r"training\.patience: there are no validation pictures"):
        train(config, tmp_path / "run", train_dataset=pictures, progress=False)
