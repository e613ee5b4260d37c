"""`dlv3 data check` from the words of the command line to the table and the exit status."""

from pathlib import Path

import pytest
from command_lines import one_error_line

from dlv3.cli import main


def test_sound_folder_is_a_table_and_status_0(photos: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["data", "check", str(photos), "--ignore", "11"]) == 0
    out = capsys.readouterr().out
    assert "train         4  50×40 (4)" in out
    assert "no label" in out
    assert "6 pictures, 0 problems" in out


def test_problem_is_a_line_and_status_1(photos: Path, capsys: pytest.CaptureFixture[str]):
    (photos / "images/0.png").write_bytes(b"x")
    assert main(["data", "check", str(photos), "--ignore", "11"]) == 1
    out = capsys.readouterr().out
    assert f"{photos / 'images/0.png'}: not a picture that can be read" in out
    assert "6 pictures, 1 problems" in out


def test_folder_that_cannot_be_used_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["data", "check", str(tmp_path / "none")]) == 2
    assert "none: no such folder" in one_error_line(capsys.readouterr().err)


def test_channels_of_the_pictures_are_an_option(photos: Path, capsys: pytest.CaptureFixture[str]):
    words = ["data", "check", str(photos), "--ignore", "11", "--in-channels"]
    assert main([*words, "1"]) == 0
    assert "6 pictures, 0 problems" in capsys.readouterr().out
    assert main([*words, "4", "--num-classes", "3"]) == 1
    assert "has 3 channels (RGB); expected 4, the model's in_channels" in capsys.readouterr().out
    assert main([*words, "0"]) == 2
    assert "--in-channels 0: expected a whole number" in one_error_line(capsys.readouterr().err)
