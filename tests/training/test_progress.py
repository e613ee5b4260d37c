"""What a training shows: lines in a log, a bar on a terminal, TensorBoard, or nothing."""

import json
import sys
from pathlib import Path

import pytest
from training_runs import short_run

from dlv3.training import train
from dlv3.training.folder import RunFolder
from dlv3.training.progress import Reporter


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    return folder


def test_lines_of_progress_say_loss_rate_speed_and_time_left(tmp_path: Path, capsys: pytest.CaptureFixture):
    train(short_run(iterations=4, validation_interval=4), tmp_path / "run")
    lines = capsys.readouterr().err
    for what in ("iteration 2/4", "loss ", "lr ", "pictures/s", " left", "validation mIOU"):
        assert what in lines


def test_bar_on_a_terminal_reaches_the_end_with_loss_rate_and_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(short_run(iterations=4), tmp_path / "run")
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    for what in ("100%", "4/4", "loss ", "lr ", "pictures/s"):
        assert what in last


def test_nothing_is_shown_but_everything_is_kept(folder: RunFolder, capsys: pytest.CaptureFixture):
    reporter = Reporter(folder, 10, 0, 0, show=False, tensorboard=False)
    reporter.advance()
    reporter.losses(1, 2.5, 0.1, 30.0)
    reporter.say("hello")
    length = reporter.push()
    reporter.close()
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    kept = dict(kind="train", iteration=1, loss=2.5, learning_rate=0.1, pictures_per_second=30.0)
    assert json.loads(folder.metrics.read_text()) == kept
    assert length == folder.metrics.stat().st_size


def test_resumed_bar_starts_where_the_checkpoint_is(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    Reporter(folder, 10, 6, 0, show=True, tensorboard=False).close()
    assert "6/10" in capsys.readouterr().err


def test_tensorboard_has_the_metrics(finished: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(finished / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [2, 4]
    assert [event.step for event in events.Scalars("validation/miou")] == [3, 4]


def test_missing_tensorboard_says_what_to_install(folder: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match=r"training\.tensorboard=True: .*pip install tensorboard"):
        Reporter(folder, 10, 0, 0, show=False, tensorboard=True)
