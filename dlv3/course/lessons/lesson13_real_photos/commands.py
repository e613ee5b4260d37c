"""Run `dlv3` commands from a lesson's cell, as a terminal in a folder would."""

import contextlib
import io
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path


def run_in(folder: Path, main: Callable[[list[str]], int], command: str) -> str:
    """Run a `dlv3` command in a folder, and return the command with what it prints.

    Args:
        folder: where the terminal would be.
        main: `dlv3.cli.main`.
        command: a line such as `dlv3 train --data folder:photos --out runs/first`; a backslash at the end of a line
            continues it.
    """
    printed = io.StringIO()
    words = shlex.split(command.replace("\\\n", " "))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        status = main(words[1:])
    ending = f"(exit status {status})" if status else ""
    return f"$ {command}\n{printed.getvalue()}{ending}"


def for_folder(folder: Path, ignore: Sequence[int], crop: int, updates: int) -> list[str]:
    """Return the commands that train on a folder of photos and evaluate the result.

    Args:
        folder: with images and masks.
        ignore: values of masks that are not a label.
        crop: side of the crops, in pixels.
        updates: how many.
    """
    data = shlex.quote(f"folder:{folder}")
    train = f"dlv3 train --preset laptop --data {data} --out runs/mine --overwrite"
    train += "".join([" --ignore", *(f" {value}" for value in ignore)]) if ignore else ""
    options = {
        "pretrained": None,
        "initial-weights": "scenes_laptop.safetensors",
        "iterations": updates,
        "batch-size": 8,
        "learning-rate": 0.1,
        "crop-size": crop,
        "scale": "0.5 2.0",
        "workers": 0,
        "validation-interval": 0,
    }
    train += "".join(f" --training.{name} {value}" for name, value in options.items())
    return [train, "dlv3 evaluate runs/mine --workers 0"]
