"""`dlv3 predict` from the words of the command line to files and exit status."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.cli import parse
from dlv3.cli.predict import PredictArguments, predict_command
from dlv3.data import SCENES_PALETTE


def predict(*words):
    return predict_command(parse(PredictArguments, words, "dlv3 predict"))


def test_predict_writes_the_runs_colours(run, capsys):
    Image.new("RGB", (40, 30), "red").save("a.png")
    assert predict("run", "a.png", "--out", "there", "--scales", "0.75", "1", "--flip") == 0
    assert "1 predicted; results are in there" in capsys.readouterr().out
    mask = Image.open("there/a_mask.png")
    index = np.array(Image.open("there/a_index.png"))
    assert np.array_equal(np.array(mask.convert("RGB")), SCENES_PALETTE[index])


def test_predict_with_a_bad_picture_ends_in_1_and_says_so(run, capsys):
    Image.new("RGB", (40, 30), "red").save("a.png")
    Path("bad.jpg").write_text("no picture")
    assert predict("run", "a.png", "bad.jpg", "nope/") == 1
    captured = capsys.readouterr()
    assert "1 predicted, 2 left out; results are in predictions" in captured.out
    lines = [line for line in captured.err.splitlines() if line.startswith("dlv3: left out: ")]
    assert len(lines) == 2
    assert any("bad.jpg" in line for line in lines)
    assert Path("predictions/a_mask.png").is_file()


def test_predict_nothing_is_an_error(run):
    with pytest.raises(ValueError, match="^nope/: no such file or folder$"):
        predict("run", "nope/")
    with pytest.raises(ValueError, match="give files, folders or patterns"):
        predict("run")


def test_output_stride_that_the_model_cannot_have_is_named(run):
    Image.new("RGB", (40, 30)).save("a.png")
    with pytest.raises(ValueError, match="output_stride=64"):
        predict("run", "a.png", "--output-stride", "64")


def test_kinds_that_are_not_read_are_counted_and_end_in_1(run, capsys):
    Path("photos").mkdir()
    Image.new("RGB", (40, 30), "red").save("photos/a.png")
    for name in ("b.heic", "c.HEIC", "d.gif"):
        Path("photos", name).touch()
    assert predict("run", "photos") == 1
    captured = capsys.readouterr()
    assert "1 predicted, 1 left out" in captured.out
    assert "dlv3: left out: photos: 1 .gif, 2 .heic: kinds that are not read; save them as" in captured.err


@pytest.mark.parametrize("words", [("run", ""), ("", "a.png"), ("run", "a.png", "--out", "")])
def test_empty_argument_is_refused(run, words):
    with pytest.raises(ValueError, match="the value is empty"):
        predict(*words)
    assert not Path("predictions").exists()


def test_names_with_control_characters_are_escaped(run, capsys):
    Image.new("RGB", (40, 30), "red").save("a.png")
    Path("bad\x1b[31m\n.jpg").write_text("not a picture")
    assert predict("run", "a.png", "bad\x1b[31m\n.jpg", "--out", "out\x1b[0m") == 1
    captured = capsys.readouterr()
    assert captured.out == "1 predicted, 1 left out; results are in out\\x1b[0m\n"
    (line,) = [line for line in captured.err.split("\n") if line.startswith("dlv3: left out: ")]
    assert line.startswith("dlv3: left out: bad\\x1b[31m\\n.jpg: ")


def test_probabilities_and_tiles(run):
    Image.new("RGB", (70, 50), "red").save("a.png")
    assert predict("run", "a.png", "--probabilities", "npz", "--tiles", "--max-side", "48") == 0
    assert np.load("predictions/a_probabilities.npz")["probabilities"].shape == (8, 50, 70)
    assert predict("run", "a.png", "--probabilities", "png") == 0
    assert np.array(Image.open("predictions/a_confidence.png")).max() > 65535 // 8
    with pytest.raises(ValueError, match="probabilities"):
        predict("run", "a.png", "--probabilities", "jpg")
