"""A run's folder: what is made, kept, replaced and refused."""

import os
import signal
import time
from pathlib import Path

import pytest
from child_processes import CONTEXT
from training_runs import change_updates, metrics, run_to_the_end, short_run

from dlv3.config.run import RunConfig
from dlv3.training import run, train
from dlv3.training.folder import RunFolder


def test_folder_holds_all_that_a_run_is(finished: Path, finished_config: RunConfig):
    names = {file.name for file in finished.iterdir()}
    assert names == {
        "config.json",
        "metrics.jsonl",
        "checkpoint.pt",
        "model.safetensors",
        "predictions",
        "tensorboard",
    }
    assert RunConfig.from_json((finished / "config.json").read_text()) == finished_config
    assert RunFolder(finished).in_use


def test_run_is_not_overwritten_unasked(finished: Path):
    before = (finished / "model.safetensors").read_bytes()
    with pytest.raises(
        ValueError, match="holds a run already; resume it with --resume, replace it with --overwrite"
    ):
        run_to_the_end(short_run(), finished)
    assert (finished / "model.safetensors").read_bytes() == before


def test_overwriting_deletes_the_run_and_nothing_else(tmp_path: Path):
    for name in ("config.json", "checkpoint.pt", "metrics.jsonl", "notes.txt"):
        (tmp_path / name).write_text("old")
    for name in ("predictions", "tensorboard"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
    train(short_run(iterations=1), tmp_path, overwrite=True, progress=False)
    assert (tmp_path / "notes.txt").read_text() == "old"
    assert [m["iteration"] for m in metrics(tmp_path)] == [1]
    assert not list(tmp_path.rglob("old"))


def test_resume_and_overwrite_together_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="--resume and --overwrite: give one of them, not both"):
        RunFolder(tmp_path / "run").create(resume=True, overwrite=True)
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_there_is_refused_before_labels_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "config.json").write_text("old")
    monkeypatch.setattr(run, "report_classes", lambda *args, **options: pytest.fail("counted"))
    with pytest.raises(ValueError, match="holds a run already"):
        train(short_run(iterations=1), tmp_path, progress=False)


def test_resuming_keeps_what_is_there(tmp_path: Path):
    (tmp_path / "config.json").write_text("old")
    RunFolder(tmp_path).create(resume=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.json", "old")]


def test_folder_under_a_file_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/run: cannot be written to: Not a directory; give another --out"):
        RunFolder(tmp_path / "file" / "run").create()


def test_options_are_checked_before_a_run_is_overwritten(tmp_path: Path):
    out = run_to_the_end(short_run(iterations=1), tmp_path / "run")
    before = {file: file.read_bytes() for file in out.iterdir() if file.is_file()}
    for options in (dict(initial_weights="/no/run"), dict(pretrained="/no/file.pt"), dict(device="abacus")):
        with pytest.raises((ValueError, OSError)):
            train(short_run(**options), out, overwrite=True, progress=False)
        assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_run_that_ends_before_its_first_checkpoint_brings_the_replaced_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = run_to_the_end(short_run(iterations=1), tmp_path / "run")
    before = {file: file.read_bytes() for file in out.iterdir() if file.is_file()}

    def fail(update, updater, iteration, batches):
        if iteration == 1:
            raise RuntimeError("broken")
        return update(updater, iteration, batches)

    with monkeypatch.context() as patch:
        change_updates(patch, fail)
        with pytest.raises(RuntimeError, match="broken"):
            train(short_run(seed=5), out, overwrite=True, progress=False)
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_replaced_run_is_removed_when_the_new_one_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = run_to_the_end(short_run(iterations=1), tmp_path / "run")
    old = (out / "model.safetensors").read_bytes()

    def fail(update, updater, iteration, batches):
        if iteration == 3:
            raise RuntimeError("broken")
        return update(updater, iteration, batches)

    with monkeypatch.context() as patch:
        change_updates(patch, fail)
        for seed in (5, 6):  # the second replaces one that did not end
            with pytest.raises(RuntimeError, match="broken"):
                train(short_run(seed=seed), out, overwrite=True, progress=False)
            assert (out / ".replaced-run" / "model.safetensors").read_bytes() == old
    run_to_the_end(short_run(seed=6), out, resume=True)
    assert {file.name for file in out.iterdir()} == {
        "config.json",
        "metrics.jsonl",
        "checkpoint.pt",
        "model.safetensors",
    }


@pytest.mark.parametrize("moved", range(5))
def test_kill_while_a_run_is_moved_aside_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
):
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    for file in (folder.metrics, folder.checkpoint, folder.weights, folder.config):
        file.write_text(file.name)
    genuine, calls = os.replace, []

    def replace(source: Path, target: Path) -> None:
        if len(calls) == moved:
            raise KeyboardInterrupt
        calls.append(source)
        genuine(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            folder.set_aside()
    with folder.locked(may_hold_a_run=True):
        pass
    assert {f.name: f.read_text() for f in folder.path.iterdir()} == {
        name: name for name in ("metrics.jsonl", "checkpoint.pt", "model.safetensors", "config.json")
    }


def test_second_training_into_the_same_folder_is_refused(tmp_path: Path):
    folder = RunFolder(tmp_path)
    refused = pytest.raises(
        ValueError, match="another training is writing into this folder; wait for its end"
    )
    with folder.locked(may_hold_a_run=False):
        for options in (dict(), dict(resume=True), dict(overwrite=True)):
            with refused:
                train(short_run(iterations=1), tmp_path, progress=False, **options)
    train(short_run(iterations=1), tmp_path, progress=False)


def hold(path: Path, worker: object) -> None:
    """Lock a folder, start a worker that inherits what is open, and wait to be killed."""
    with RunFolder(path).locked(may_hold_a_run=True):
        # From the worker itself, which has let go of the lock by then.
        if os.fork() == 0:
            worker.send(os.getpid())
        time.sleep(60)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_lock_of_a_killed_process_is_taken_over_while_its_workers_live(tmp_path: Path):
    ours, theirs = CONTEXT.Pipe()
    holder = CONTEXT.Process(target=hold, args=(tmp_path, theirs))
    holder.start()
    worker = ours.recv()
    try:
        with (
            pytest.raises(ValueError, match="another training"),
            RunFolder(tmp_path).locked(may_hold_a_run=True),
        ):
            pass
        holder.kill()
        holder.join()
        with RunFolder(tmp_path).locked(may_hold_a_run=True):
            pass
    finally:
        os.kill(worker, signal.SIGKILL)
    assert list(tmp_path.iterdir()) == []


def test_finished_run_that_is_resumed_keeps_the_options_it_was_trained_with(tmp_path: Path):
    out = run_to_the_end(short_run(iterations=2), tmp_path / "run")
    before = {file: file.read_bytes() for file in out.iterdir() if file.is_file()}
    changed = short_run(iterations=2, learning_rate=0.5, validation_interval=1)
    result = train(changed, out, resume=True, progress=False)
    assert (result.iterations, result.trained) == (2, 0)
    assert {file: file.read_bytes() for file in out.iterdir()} == before


def test_options_of_a_resumed_run_are_kept_once_something_was_trained_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    config = short_run(iterations=2)
    out = run_to_the_end(config, tmp_path / "run")
    longer = short_run(iterations=6, checkpoint_interval=2, learning_rate=0.01)

    def fail(at: int) -> None:
        def change(update, updater, iteration, batches):
            if iteration == at:
                raise RuntimeError("broken")
            return update(updater, iteration, batches)

        with monkeypatch.context() as patch:
            change_updates(patch, change)
            with pytest.raises(RuntimeError, match="broken"):
                train(longer, out, resume=True, progress=False)

    fail(at=3)
    assert RunConfig.read(out / "config.json") == config
    fail(at=4)
    assert RunConfig.read(out / "config.json") == longer


def test_finished_run_without_its_checkpoint_is_not_trained_over(tmp_path: Path):
    out = run_to_the_end(short_run(iterations=1), tmp_path / "run")
    (out / "checkpoint.pt").unlink()
    before = (out / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"holds a finished run without its checkpoint\.pt.*--overwrite"):
        run_to_the_end(short_run(iterations=1), out, resume=True)
    assert (out / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("at", ["weights", "first update"])
def test_training_that_fails_before_its_first_update_leaves_the_folder_as_it_was(
    at: str, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(update, updater, iteration, batches):
        raise ValueError("a photo is broken")

    config = short_run(model=dict(aspp_channels=8), initial_weights=str(finished))
    if at == "first update":
        change_updates(monkeypatch, fail)
        config = short_run()
    for out, left in ((tmp_path / "runs" / "new", []), (tmp_path / "notes", ["notes", "notes/predictions"])):
        if left:
            (out / "predictions").mkdir(parents=True)
        with pytest.raises(ValueError, match="of another architecture|a photo is broken"):
            train(config, out, progress=False)
        assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == left


def test_run_that_fails_when_it_begins_again_keeps_its_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # As a process that was killed before its first checkpoint leaves it.
    (tmp_path / "config.json").write_text(short_run().to_json())
    change_updates(monkeypatch, lambda *arguments: pytest.fail("a photo is broken"))
    with pytest.raises(pytest.fail.Exception):
        train(short_run(), tmp_path, resume=True, progress=False)
    assert RunConfig.read(tmp_path / "config.json") == short_run()
