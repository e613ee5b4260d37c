"""What lies in a folder: every file read in full, without what depends on the clock."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from dlv3.training import checkpoint
from dlv3.weights import load_tensors

OF_THE_CLOCK = {"seconds", "pictures_per_second", "metrics_bytes"}
OF_THE_UPDATE = {"lr"}
"""In a checkpoint; it is computed again for each update."""
IGNORED = OF_THE_CLOCK | OF_THE_UPDATE
ASIDE = (".replaced-run", ".replaced-run.part")
"""Where a run that is replaced lies."""

State = dict[str, Any]


def state_of(folder: Path) -> State:
    """Return all files of a folder by their path, hidden ones too."""
    return {
        file.relative_to(folder).as_posix(): content_of(file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() or file.is_symlink()
    }


def content_of(file: Path) -> Any:
    """Return what a file says; anything that is equal for equal content.

    Raises:
        AssertionError: it is a half file. Hidden files are those that are being written, and may be.
    """
    content = file.read_bytes()
    key = (file.suffix, file.name.startswith("."), hashlib.sha256(content).hexdigest())
    # The same checkpoint is looked at again and again.
    if key not in _KNOWN:
        _KNOWN[key] = _content(file, content)
    return _KNOWN[key]


_KNOWN: dict[tuple[str, bool, str], Any] = {}


def _content(file: Path, content: bytes) -> Any:
    try:
        if file.suffix == ".json":
            return _plain(json.loads(content))
        if file.suffix == ".jsonl":
            # Grows by a line at a time; the rest of a line that was cut short is cut off by a resume.
            return [_plain(json.loads(line)) for line in content.splitlines() if line.endswith(b"}")]
        if file.suffix == ".pt":
            return _plain(checkpoint.load(file))
        if file.suffix == ".safetensors":
            # The order in which the file has its fields is not always the same.
            return _plain(load_tensors(file))
        if file.suffix == ".png":
            Image.open(file).load()
        elif file.suffix == ".pt2":
            assert zipfile.ZipFile(file).testzip() is None
        elif file.suffix == ".npz":
            with np.load(file) as arrays:
                for name in arrays:
                    arrays[name]
        elif file.suffix == ".csv":
            assert content.endswith(b"\n")
    except Exception as error:
        if file.name.startswith("."):
            return hashlib.sha256(content).hexdigest()
        raise AssertionError(f"half a file under its final name: {file}: {error}") from error
    return hashlib.sha256(content).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in IGNORED}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, torch.Tensor):
        return hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
    return value


def differences(state: State, other: State) -> list[str]:
    """Return the names of files that are not the same in both."""
    return sorted(n for n in state.keys() | other.keys() if state.get(n, b"") != other.get(n, b""))


def lost(before: State, now: State, complete: State) -> list[str]:
    """Return the files of `before` that are neither as they were, nor set aside, nor as in the complete result."""
    return [
        name
        for name, content in before.items()
        if now.get(name) != content
        and not (name in complete and now.get(name) == complete[name])
        and all(now.get(_aside(name, folder)) != content for folder in ASIDE)
    ]


def _aside(name: str, folder: str) -> str:
    run, _, rest = name.partition("/")
    return f"{run}/{folder}/{rest}"
