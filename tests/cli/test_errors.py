"""Errors as one line: those of a loader's worker, of files, of a training that diverges."""

from pathlib import Path

import pytest
import torch
from command_lines import TINY, command, one_error_line

from dlv3.cli import BAD_INPUT, main
from dlv3.cli.errors import status_of
from dlv3.printed import printable


@pytest.mark.slow
def test_picture_that_breaks_in_a_loaders_worker_ends_the_process(tmp_path: Path, photos: Path):
    path = photos / "images" / "1.png"
    path.write_bytes(path.read_bytes()[:500])
    options = ["--data", f"folder:{photos}", "--ignore", "11", "--training.workers", "1"]
    child = command(*TINY, *options, "--out", tmp_path / "run")
    _, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert "1.png" in one_error_line(err)


def test_diverged_training_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture):
    options = [
        "--training.learning-rate",
        "1000",
        "--training.weight-decay",
        "1",
        "--training.iterations",
        "40",
    ]
    assert main([*TINY, *options, "--out", str(tmp_path / "run")]) == 1
    assert "lower training.learning_rate" in one_error_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "two lines"),
        (ValueError(), "ValueError"),
        (FileNotFoundError(2, "No such file or directory", "a.png"), "a.png: No such file or directory"),
        (OSError("a.png: cannot be read"), "a.png: cannot be read"),
        (
            ValueError(
                "Caught DataError in DataLoader worker process 0.\nTraceback:\n ...\ndlv3.DataError: a: broken"
            ),
            "a: broken",
        ),
        (MemoryError(), "the memory is not enough (MemoryError): lower training.batch_size"),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: 9 bytes"
            ),
            "the memory is not enough ([enforce fail",
        ),
        (torch.OutOfMemoryError("CUDA"), "the GPU's memory is not enough (CUDA): lower training.batch_size"),
    ],
)
def test_error_that_a_user_can_cause_is_one_line_and_status_2(
    error: Exception, line: str, capsys: pytest.CaptureFixture
):
    assert status_of(error) == BAD_INPUT
    assert line in one_error_line(capsys.readouterr().err)


def test_error_that_a_user_cannot_cause_is_left_alone(capsys: pytest.CaptureFixture):
    assert status_of(KeyError("a bug")) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["a\x1b[2J.png", "gnp.\u202ea", "a\udcff.png", "a\x85b"])
def test_control_characters_of_a_name_are_escaped(name: str, capsys: pytest.CaptureFixture[str]):
    for error in (FileNotFoundError(2, "No such file or directory", name), ValueError(f"{name}: broken")):
        assert status_of(error) == BAD_INPUT
        line = one_error_line(capsys.readouterr().err)
        assert line.isprintable()
        assert printable(name) in line


def test_newline_in_a_name_forges_no_line(capsys: pytest.CaptureFixture[str]):
    status_of(FileNotFoundError(2, "No such file or directory", "a\ndlv3: error: b"))
    assert (
        one_error_line(capsys.readouterr().err) == "dlv3: error: a dlv3: error: b: No such file or directory"
    )
