"""`dlv3 predict` from the words of the command line to files and exit status."""

from pathlib import Path

import numpy as np
import pytest
from command_lines import TINY, one_error_line
from PIL import Image

from dlv3.cli import main, parse
from dlv3.cli.predict import PredictArguments, predict_command
from dlv3.data import SCENES_PALETTE, read_image, read_mask
from dlv3.data.photos.colours import read_colours


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


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of three made pictures of four channels, the pages of TIFFs, and a working directory beside it."""
    monkeypatch.chdir(tmp_path)
    generator = np.random.default_rng(0)
    for part in ("images", "masks"):
        Path("my", part).mkdir(parents=True)
    for number in range(3):
        pages = [Image.fromarray(page) for page in generator.integers(0, 256, (4, 40, 48), np.uint8)]
        pages[0].save(f"my/images/{number}.tif", save_all=True, append_images=pages[1:])
        Image.fromarray(generator.integers(0, 3, (40, 48), np.uint8)).save(f"my/masks/{number}.png")
    Path("my/val.txt").write_text("2")
    return Path("my")


ON_FOLDER = [*TINY[:-2], "--data", "folder:my", "--training.pretrained", "None", "--training.workers", "0"]


def test_pictures_of_four_channels_are_checked_trained_on_scored_and_predicted(folder, capsys):
    assert main(["data", "check", "my", "--in-channels", "4"]) == 0
    assert main([*ON_FOLDER, "--out", "run", "--model.in-channels", "4"]) == 0
    assert main(["evaluate", "run", "--workers", "0"]) == 0
    capsys.readouterr()
    assert predict("run", "my/images") == 0
    for number in range(3):
        shown = np.array(Image.open(f"predictions/{number}_overlay.png"))
        assert shown.shape == (40, 48, 3)
        photo = read_image(f"my/images/{number}.tif", channels=4).numpy()[:3].transpose(1, 2, 0)
        colours = np.array(Image.open(f"predictions/{number}_mask.png").convert("RGB"))
        assert np.array_equal(shown, np.rint(0.4 * photo + 0.6 * colours))
    Image.new("RGB", (40, 30), "red").save("a.png")
    assert predict("run", "a.png") == 1
    assert (
        "left out: a.png: has 3 channels (RGB); expected 4, the model's in_channels"
        in capsys.readouterr().err
    )


def test_pictures_of_four_channels_on_a_model_of_three_say_which_option_fits(folder, run, capsys):
    assert main([*ON_FOLDER, "--out", "other"]) == 2
    assert "--model.in-channels 4" in one_error_line(capsys.readouterr().err)
    assert predict("run", "my/images/0.tif") == 1
    assert "my/images/0.tif: has 4 pages or frames" in capsys.readouterr().err


def test_initial_weights_of_four_channels_are_continued_with_four(folder, capsys):
    assert main([*ON_FOLDER, "--out", "run", "--model.in-channels", "4"]) == 0
    assert main([*ON_FOLDER, "--out", "next", "--training.initial-weights", "run"]) == 0
    assert '"in_channels": 4' in Path("next/config.json").read_text()


def test_predictions_have_the_colours_of_the_table_that_the_masks_were_read_with(folder, capsys):
    table = "128 64 128 road\n10 20 30 sky\n200 0 0 car\n"
    Path("my/colours.txt").write_text(table)
    for number in range(3):
        mask = np.array(Image.open(f"my/masks/{number}.png"))
        colours = np.array([(128, 64, 128), (10, 20, 30), (200, 0, 0)], np.uint8)
        Image.fromarray(colours[mask]).save(f"my/masks/{number}.png")
    assert main([*ON_FOLDER, "--out", "run", "--model.in-channels", "4"]) == 0
    colour_table = read_colours(Path("my/colours.txt"))
    # The run alone is enough, wherever the data are by then.
    Path("my/colours.txt").unlink()
    assert predict("run/model.safetensors", "my/images/0.tif") == 0
    index = np.array(Image.open("predictions/0_index.png"))
    assert Image.open("predictions/0_mask.png").mode == "P"
    assert np.array_equal(read_mask("predictions/0_mask.png", colours=colour_table), index)
    assert np.array_equal(read_mask("predictions/0_mask.png"), index)


def test_pictures_that_cannot_be_read_leave_no_folder(run):
    Path("a.png").write_bytes(b"")
    assert predict("run", "a.png", "--out", "new/predictions") == 1
    assert not Path("new").exists()
