"""The command line as a whole: its help, which command is run, and the exit status."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from child_processes import CONTEXT
from command_lines import TINY, command, one_error_line

from dlv3 import __version__
from dlv3.cli import main
from dlv3.cli.data import COMMANDS as DATA_COMMANDS
from dlv3.cli.main import COMMANDS
from dlv3.training import checkpoint


def test_help_lists_the_commands_without_importing_torch():
    code = "import sys, dlv3.cli; dlv3.cli.main(['--help']); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"  {name} " in done.stdout


def test_version_is_the_packages(capsys: pytest.CaptureFixture):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"dlv3 {__version__}\n"


@pytest.mark.parametrize("name", [*COMMANDS, *(f"data {name}" for name in DATA_COMMANDS)])
def test_command_has_help(name: str, capsys: pytest.CaptureFixture):
    assert main([*name.split(), "--help"]) == 0
    assert f"usage: dlv3 {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["frobnicate"],
            "'frobnicate' is not a command; expected one of train, evaluate, predict, export, ablate, data, "
            "lab",
        ),
        (
            ["data", "coco"],
            "'coco' is not a command; expected one of check, voc, pretrain (see dlv3 data --help)",
        ),
    ],
)
def test_unknown_command_is_one_line_and_status_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture
):
    assert main(words) == 2
    assert message in one_error_line(capsys.readouterr().err)


def test_no_command_is_status_2_and_the_help(capsys: pytest.CaptureFixture):
    for words in ([], ["data"]):
        assert main(words) == 2
        assert "commands:" in capsys.readouterr().out


def test_traceback_is_shown_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setenv("DLV3_DEBUG", "1")
    assert main(["evaluate", "/no/run"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_programming_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def broken(*args: object, **kwargs: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("dlv3.training.run.open_datasets", broken)
    with pytest.raises(KeyError):
        main([*TINY, "--out", str(tmp_path / "run")])


def test_no_such_folder_as_a_process(tmp_path: Path):
    child = command("train", "--data", "folder:/no/such", "--out", tmp_path / "run")
    out, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert "/no/such" in one_error_line(err)
    assert out == ""


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_saves_and_says_how_to_go_on(tmp_path: Path, number: signal.Signals, status: int):
    out = tmp_path / "run"
    endless = [
        "--training.iterations",
        "100000",
        "--training.workers",
        "1",
        "--training.checkpoint-interval",
        "5",
    ]
    child = command(*TINY, *endless, "--out", out, start_new_session=True)
    end = time.monotonic() + 60
    while not (out / "checkpoint.pt").exists() and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(child.pid, number)  # as a terminal does: the loader's worker gets it too
    _, err = child.communicate(timeout=60)
    assert child.returncode == status, err
    assert "Traceback" not in err
    assert "everything is saved" in err.splitlines()[-1]
    assert "--resume" in err.splitlines()[-1]
    assert checkpoint.load(out / "checkpoint.pt")["iteration"] >= 5


@pytest.mark.parametrize("at", ["tyro.cli", "dlv3.training.run.open_datasets"])
def test_sigterm_before_the_training_begins_is_one_line(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    def stopped(*args: object, **kwargs: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(at, stopped)
    assert main([*TINY, "--out", str(tmp_path / "run")]) == 143
    assert capsys.readouterr().err == "dlv3: stopped by SIGTERM\n"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def with_dead_pipes(*words: str) -> None:
    """Be a command whose output nobody reads any more."""
    for stream in (1, 2):
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, stream)
    sys.exit(main(words))


def test_dead_pipes_end_no_training(tmp_path: Path):
    words = (*TINY, "--training.log-interval", "1", "--out", str(tmp_path / "run"))
    child = CONTEXT.Process(target=with_dead_pipes, args=words)
    child.start()
    child.join(120)
    assert child.exitcode == 141
    assert (tmp_path / "run" / "model.safetensors").exists()


def test_output_whose_reader_has_gone_is_one_line():
    child = command("--help")
    child.stdout.close()
    assert child.wait(timeout=60) == 141
    assert "broken pipe" in one_error_line(child.stderr.read())


def with_output_to(path: str, errors: Path, *words: str) -> None:
    """Be a command whose stdout is a file, or closed."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    os.close(1)
    if path:
        os.open(path, os.O_WRONLY)
    sys.stdout = os.fdopen(1, "w") if path else None
    sys.exit(main(words))


@pytest.mark.parametrize(
    ("words", "output", "status", "message"),
    [
        (["--version"], "/dev/full", 2, "dlv3: error: standard output: No space left on device\n"),
        # More than a buffer, and printed by tyro.
        (["train", "--help"], "/dev/full", 2, "dlv3: error: standard output: No space left on device\n"),
        (["train", "--help"], "", 0, ""),
    ],
)
def test_full_disk_behind_stdout_is_named_and_a_closed_one_ends_nothing(
    words: list[str], output: str, status: int, message: str, tmp_path: Path
):
    if output and not Path(output).exists():
        pytest.skip(f"needs {output}")
    child = CONTEXT.Process(target=with_output_to, args=(output, tmp_path / "errors", *words))
    child.start()
    child.join(120)
    assert (child.exitcode, (tmp_path / "errors").read_text()) == (status, message)
