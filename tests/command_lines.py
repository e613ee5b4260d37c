"""What the tests of the command line share: a training of a second, `dlv3` as a process, and its one line of error."""

import os
import subprocess
import sys
from pathlib import Path

import torch

from dlv3 import DeepLabV3, weights
from dlv3.config.run import RunConfig

TINY = ["train", "--preset", "tiny", "--training.iterations", "2", "--training.validation-interval", "0"]
TINY += ["--training.crop-size", "33", "--pictures", "6"]


def command(*arguments: object, **options: object) -> subprocess.Popen:
    """Start `dlv3` as a process of its own."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "dlv3", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def one_error_line(text: str) -> str:
    assert "Traceback" not in text
    lines = text.strip().splitlines()
    errors = [line for line in lines if line.startswith("dlv3: error: ")]
    assert len(errors) == 1, text
    assert lines[-1] == errors[0]
    return errors[0]


def save_run(folder: Path, config: RunConfig) -> None:
    """Write a run's folder whose model was not trained."""
    torch.manual_seed(0)
    folder.mkdir()
    weights.save(DeepLabV3(config.model), folder / "model.safetensors")
    (folder / "config.json").write_text(config.to_json())
