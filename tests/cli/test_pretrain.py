"""`dlv3 data pretrain` from the words of the command line to weights."""

import torch

from dlv3 import DeepLabV3
from dlv3.cli import main
from dlv3.config.presets import preset
from dlv3.weights import load_backbone, load_tensors


def test_command_writes_weights_that_load_and_equal_runs_write_equal_weights(tmp_path, capsys):
    small = ["--pictures", "64", "--epochs", "1", "--batch-size", "16"]
    for name in ("a", "b"):
        assert main(["data", "pretrain", "--out", str(tmp_path / f"{name}.safetensors"), *small]) == 0
    assert "right on new pictures" in capsys.readouterr().out
    first, second = (load_tensors(tmp_path / f"{name}.safetensors")[0] for name in ("a", "b"))
    assert all(torch.equal(t, second[name]) for name, t in first.items())
    load_backbone(DeepLabV3(preset("laptop").model), first)
