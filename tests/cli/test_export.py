"""`dlv3 export` from the words of the command line to the file, what is printed and the exit status."""

import json
from pathlib import Path

import pytest
import torch
from command_lines import one_error_line

from dlv3 import export as exports
from dlv3.cli import main
from dlv3.data.made.scenes import CLASSES


def test_export_writes_beside_the_weights_with_the_names_of_the_classes(run, capsys):
    assert main(["export", "run", "--format", "torch", "--output-stride", "8"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "written to run/model_os8.pt2: output stride 8, 8 classes; its logits are the model's"
    )
    text = {"dlv3.classes": ""}
    torch.export.load("run/model_os8.pt2", extra_files=text)
    assert json.loads(text["dlv3.classes"]) == list(CLASSES)
    assert main(["export", "run", "--format", "torch", "--output-stride", "8"]) == 2
    assert "run/model_os8.pt2: exists and is not overwritten" in one_error_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: no such run"),
        (["run", "--format", "tflite"], "--format"),
        (["run", "--output-stride", "7"], "--output-stride 7: expected one of 1, 2, 4, 8, 16, 32"),
        (["run", "--output-stride", "64"], "output_stride=64: expected one of 4, 8, 16, 32"),
        (["run", "--out", "model.pt2"], "expected a name that ends in .onnx"),
        (["run", "--out", "run/model.safetensors/model.onnx"], "run/model.safetensors"),
    ],
)
def test_bad_words_end_in_one_line(words, message, run, capsys):
    assert main(["export", *words]) == 2
    assert message in one_error_line(capsys.readouterr().err)
    assert sorted(path.name for path in Path("run").iterdir()) == ["config.json", "model.safetensors"]


def test_without_onnx_the_line_says_what_to_install(run, monkeypatch, capsys):
    monkeypatch.setattr(exports, "find_spec", lambda name: None if name == "onnx" else object())
    assert main(["export", "run"]) == 2
    line = one_error_line(capsys.readouterr().err)
    assert line == (
        "dlv3: error: format onnx needs onnx; install what exports need: pip install 'dlv3[export]'"
    )


def test_export_that_fails_leaves_no_folder(run, monkeypatch, capsys):
    def fails(model):
        raise exports.ExportError("no program")

    monkeypatch.setattr(exports, "_traced", fails)
    assert main(["export", "run", "--format", "torch", "--out", "new/folder/model.pt2"]) == 2
    assert "no program" in one_error_line(capsys.readouterr().err)
    assert not Path("new").exists()
