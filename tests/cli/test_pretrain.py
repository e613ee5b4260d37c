"""`dlv3 data pretrain` from the words of the command line to weights."""

import pytest
import torch
from command_lines import one_error_line

from dlv3 import DeepLabV3
from dlv3.cli import main
from dlv3.config.presets import preset
from dlv3.weights import load_backbone, load_tensors


def test_command_writes_weights_that_load_and_equal_runs_write_equal_weights(tmp_path, capsys):
    small = ["--pictures", "64", "--epochs", "1", "--batch-size", "16"]
    for name in ("a", "new/b"):
        assert main(["data", "pretrain", "--out", str(tmp_path / f"{name}.safetensors"), *small]) == 0
    assert "right on new pictures" in capsys.readouterr().out
    first, second = (load_tensors(tmp_path / f"{name}.safetensors")[0] for name in ("a", "new/b"))
    assert all(torch.equal(t, second[name]) for name, t in first.items())
    load_backbone(DeepLabV3(preset("laptop").model), first)


def test_a_place_that_cannot_be_written_is_refused_before_the_pretraining(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dlv3.cli.pretrain.pretrain_backbone", lambda config: pytest.fail("has begun"))
    (tmp_path / "file").write_text("a file")
    for out in (tmp_path, tmp_path / "file" / "a.safetensors"):
        assert main(["data", "pretrain", "--out", str(out)]) == 2
        assert str(tmp_path) in one_error_line(capsys.readouterr().err)
