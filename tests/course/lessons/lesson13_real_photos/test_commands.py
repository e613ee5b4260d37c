"""Commands in a lesson's cell, and the commands that the lesson shows: the library understands each of them."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from lesson_files import ROOT, notebook
from torch.distributed.run import get_args_parser

from dlv3 import DeepLabV3Config
from dlv3.cli import main, parse
from dlv3.cli.evaluate import EvaluateArguments
from dlv3.cli.predict import PredictArguments
from dlv3.cli.train import TrainArguments, defaults
from dlv3.cli.voc import VocArguments
from dlv3.course.lessons.lesson13_real_photos import commands

KINDS = {
    "train": TrainArguments,
    "evaluate": EvaluateArguments,
    "predict": PredictArguments,
    "data": VocArguments,
}
LESSON = notebook(ROOT / "notebooks" / "13_real_photos.ipynb")
SHOWN = [
    line
    for cell in LESSON.cells
    if cell.cell_type == "markdown"
    for block in re.findall(r"```\n(.*?)```", cell.source, re.S)
    for line in block.splitlines()
    if line.startswith(("dlv3", "torchrun"))
]


def understood(command: str):
    """The arguments, as the library reads them; a word that it does not know is an error."""
    program, *words = shlex.split(command)
    if program == "torchrun":
        launcher = get_args_parser().parse_args(words)
        assert launcher.module
        assert launcher.training_script == "dlv3"
        words = launcher.training_script_args
    what, *words = words
    words = words[1:] if what == "data" else words
    return parse(KINDS[what], words, f"dlv3 {what}", defaults(words) if what == "train" else None)


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_that_the_lesson_shows_is_understood(command):
    understood(command)


def test_the_lesson_shows_every_kind_of_command():
    assert {line.split()[0] for line in SHOWN} == {"dlv3", "torchrun"}
    assert {line.split()[1] for line in SHOWN if line.startswith("dlv3")} == set(KINDS)


def test_the_presets_hold_what_the_lesson_says_of_them():
    (first,) = [line for line in SHOWN if line.startswith("dlv3 train --preset paper --data voc")]
    (second,) = [line for line in SHOWN if "paper-stage2 --bootstrap" in line]
    stage1, stage2 = (understood(line).config() for line in (first, second))
    one, two = stage1.training, stage2.training
    assert (one.iterations, one.batch_size, one.crop_size, one.learning_rate) == (30_000, 16, 513, 0.007)
    assert stage1.model == DeepLabV3Config(backbone="resnet101", first_unit="previous", output_stride=16)
    assert (stage2.model.output_stride, two.freeze_batch_norm, two.learning_rate) == (8, True, 0.001)
    assert (stage2.data.voc_train, stage2.data.bootstrap_copies) == ("trainval", 2)


def test_the_options_for_torchvisions_weights_make_its_model():
    (command,) = [line for line in SHOWN if "published.safetensors" in line]
    theirs = DeepLabV3Config(
        backbone="resnet50", output_stride=8, multi_grid=(1, 1, 1), extra_conv=True, dropout=0.5
    )
    made = understood(command).config().model
    assert replace(made, output_stride=8, first_unit=theirs.first_unit) == theirs


def test_a_command_runs_in_the_folder_and_its_words_come_back(tmp_path):
    before = Path.cwd()
    said = commands.run_in(tmp_path, main, "dlv3 train --data folder:nowhere \\\n    --out runs/first")
    assert said.startswith("$ dlv3 train --data folder:nowhere")
    assert "dlv3: error: " in said
    assert said.endswith("(exit status 2)")
    assert Path.cwd() == before


def test_commands_for_a_folder_are_understood_and_quote_its_name(tmp_path):
    folder = tmp_path / "my photos"
    train, evaluate = commands.for_folder(folder, (11, 12), 257, 200)
    arguments = understood(train)
    assert arguments.config().data.ignore == (11, 12)
    assert arguments.config().training.crop_size == 257
    assert f"folder:{folder}" in shlex.split(train)
    understood(evaluate)
    assert "--ignore" not in commands.for_folder(folder, (), 257, 200)[0]
