"""Any words, any values and any bytes end in one line on stderr and status 2, or are accepted: never in a traceback.

The commands run in this process, and stop where their work would begin. `DLV3_FAULTS=long` tries many more examples.
"""

import contextlib
import io
import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image
from profiles import LONG
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.ablations.report import report
from dlv3.ablations.results import Record, read
from dlv3.cli import main
from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.presets import preset
from dlv3.config.pretraining import PretrainConfig
from dlv3.config.run import RunConfig
from dlv3.config.training import TrainingConfig
from dlv3.data import open_dataset
from dlv3.printed import printable
from dlv3.training import checkpoint
from dlv3.training.checkpoint import TrainingState
from dlv3.training.restoring import restore_model, restore_optimizer, training_state


def examples(number: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Try so many examples, always the same ones; ten times as many, and new ones, in the long form."""
    return settings(
        max_examples=10 * number if LONG else number,
        derandomize=not LONG,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )


class Begun(BaseException):
    """The command has accepted everything and would begin its work."""


def outcome(*words: object) -> tuple[int | None, str]:
    """Run a command; return its status, None where it would have begun, and what it printed to stderr."""
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        try:
            status: int | None = main([str(word) for word in words])
        except Begun:
            status = None
    return status, err.getvalue()


def assert_one_line(status: int | None, err: str, *names: str) -> None:
    """Check that bad input ended as it should: one line that can be shown, and contains the names."""
    errors = [line for line in err.splitlines() if line.startswith("dlv3: error: ")]
    assert "Traceback" not in err
    assert all(printable(line) == line for line in err.splitlines())
    if status in (None, 0):
        assert not errors
        return
    assert (status, len(errors)) == (2, 1), err
    assert err.splitlines()[-1] == errors[0]
    assert len(errors[0]) < 1500
    for name in names:
        assert name in errors[0]


def assert_one_message(error: ValueError | OSError, *names: str) -> None:
    """Check that an error is a line that contains the names."""
    text = str(error)
    assert len(text) < 1500
    for name in names:
        assert name in text, text


# --- Values: of the kinds that a field may have, at their edges and beyond, and of any other kind ---

NUMBERS = st.one_of(
    st.integers(-3, 70),
    st.integers(),
    st.sampled_from([2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**20, 10**400, -(10**30)]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e-9, 1e12, 1e308, float("inf"), float("nan"), 0.25, 0.999]),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["none", "auto", "meta", "cuda:99", "..", "/dev/null", "a\0b", "x" * 300, "folder:", "voc:x"]
    ),
    st.sampled_from(
        ["scenes", "imagenet", "resnet50", "resnet14", "sgd", "poly", "train", "float32", "2012", "\x1b[2J"]
    ),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)

CONFIGS = (DataConfig, DeepLabV3Config, EvaluationConfig, PretrainConfig, TrainingConfig)


@examples(300)
@given(st.data())
def test_any_value_of_an_option_is_accepted_or_named(data: st.DataObject):
    config = data.draw(st.sampled_from(CONFIGS))
    names = data.draw(st.lists(st.sampled_from([f.name for f in fields(config)]), min_size=1, max_size=3))
    values = {name: data.draw(VALUES) for name in names}
    try:
        config(**values)
    except ValueError as error:
        assert_one_message(error, next((name for name in names if name in str(error)), names[0]))


# --- Words on the command line ---

COMMANDS = {
    "train": "train.train_command",
    "evaluate": "evaluate.evaluate_command",
    "predict": "predict.predict_command",
    "export": "export.export_command",
    "ablate": "ablate.ablate_command",
    "data check": "check.check_folder",
    "data pretrain": "pretrain.pretrain_command",
    "data voc": "voc.voc_command",
    "lab": "lab.lab_command",
}
"""Each command, and the function with which its work begins."""


def begun(*arguments: object, **options: object) -> None:
    raise Begun


def names_of_options(command: str) -> list[str]:
    """Return the options that a command's help shows."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([*command.split(), "--help"]) == 0
    return sorted({word.strip(",") for word in out.getvalue().split() if word.startswith("--")})


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_any_words_are_accepted_or_one_line(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = names_of_options(command)
    value = st.one_of(
        NUMBERS.map(str), TEXTS, st.sampled_from(["", "--", "-1", "None", "True", "1e3", "0.5"])
    )
    option = st.sampled_from(options)
    word = st.one_of(option, value, st.tuples(option, value).map("=".join))
    words = st.lists(st.one_of(st.tuples(option, value), st.tuples(word)), max_size=3)

    @examples(12 if command == "train" else 25)
    @given(words)
    def any_words(given_words: list[tuple[str, ...]]) -> None:
        typed = [w for pair in given_words for w in pair]
        assert_one_line(*outcome(*command.split(), *typed))

    with mock.patch(f"dlv3.cli.{COMMANDS[command]}", begun):
        any_words()
    assert not list(tmp_path.iterdir())


# --- Files of JSON: a run's configuration, a record ---


def changed(values: dict[str, object], data: st.DataObject) -> dict[str, object]:
    """Replace, remove or add a value at any depth."""
    copy: dict[str, object] = json.loads(json.dumps(values))
    inside = copy
    while True:
        key = data.draw(
            st.one_of(st.sampled_from(sorted(inside)), st.text(max_size=3)) if inside else st.text(max_size=3)
        )
        value = inside.get(key)
        if isinstance(value, dict) and data.draw(st.integers(0, 3)):
            inside = value
            continue
        if key in inside and data.draw(st.integers(0, 4)) == 0:
            del inside[key]
        else:
            inside[key] = data.draw(VALUES)
        return copy


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Cut a file short, change bytes in it, put others before or behind it, or make it of other bytes altogether."""
    kind = data.draw(st.sampled_from(["cut", "change", "change", "change", "append", "prepend", "other"]))
    if kind == "other":
        return data.draw(st.binary(max_size=80))
    place = data.draw(st.integers(0, len(content)))
    some = data.draw(st.binary(min_size=1, max_size=9))
    if kind == "cut":
        return content[:place]
    if kind == "append":
        return content + some
    return some + content if kind == "prepend" else content[:place] + some + content[place + len(some) :]


def as_text(values: object) -> str:
    """Return values as JSON, also such as JSON has not: NaN, infinity and halves of characters."""
    return json.dumps(values)


def test_any_configuration_of_a_run_is_accepted_or_named(tmp_path: Path):
    path, good = tmp_path / "config.json", json.loads(preset("laptop").to_json())

    @examples(150)
    @given(st.data())
    def any_configuration(data: st.DataObject) -> None:
        if data.draw(st.booleans()):
            content = as_text(changed(good, data)).encode()
        else:
            content = damaged(as_text(good).encode(), data)
        path.write_bytes(content)
        try:
            config = RunConfig.read(path)
        except ValueError as error:
            assert_one_message(error, str(path))
        else:
            assert RunConfig.from_json(config.to_json()) == config

    any_configuration()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with the smallest of models."""
    folder = tmp_path_factory.mktemp("any") / "run"
    folder.mkdir()
    weights.save(DeepLabV3(SMALL), folder / "model.safetensors")
    return folder


SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(), aspp_channels=8)


def test_any_configuration_beside_weights_is_accepted_or_one_line(run: Path):
    path, good = run / "config.json", json.loads(preset("tiny").to_json())

    @examples(25)
    @given(st.data())
    def any_configuration(data: st.DataObject) -> None:
        text = as_text(changed(good, data))
        path.write_text(text)
        assert_one_line(*outcome("evaluate", run, "--workers", "0"))
        assert path.read_text() == text

    with mock.patch("dlv3.cli.evaluate.evaluate", begun):
        any_configuration()
    path.unlink()
    assert [file.name for file in run.iterdir()] == ["model.safetensors"]


RECORD = Record("T6", "flip", "laptop", 0, "test", 0.5, {"sky": 0.4, "sun": None}, {"shapes": 0.3}, {"seed": 0}, "cpu",
                {}, "abc", 1.0)  # fmt: skip


def test_any_record_is_accepted_or_named(tmp_path: Path):
    path = RECORD.write(tmp_path)
    replace(RECORD, row="output stride 8").write(tmp_path)

    @examples(100)
    @given(st.data())
    def any_record(data: st.DataObject) -> None:
        content = as_text(changed(asdict(RECORD), data)).encode()
        content = content if data.draw(st.booleans()) else damaged(content, data)
        path.write_bytes(content)
        try:
            report(read(tmp_path), "laptop")
        except ValueError as error:
            assert_one_message(error, "T6")
        assert path.read_bytes() == content

    any_record()


# --- Checkpoints and weights ---


def test_a_run_with_any_checkpoint_or_configuration_stays_as_it_was(run: Path, tmp_path: Path):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    tiny = preset("tiny")
    config = replace(tiny, model=SMALL, training=replace(tiny.training, validation_interval=0))
    state = asdict(TrainingState.at_start()) | {"model": DeepLabV3(SMALL).state_dict(), "optimizer": {}}
    good = {"config.json": config.to_json().encode()}
    checkpoint.save(state, folder / "checkpoint.pt")
    good["checkpoint.pt"] = (folder / "checkpoint.pt").read_bytes()

    @examples(8)
    @given(st.data())
    def any_run(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(good)))
        for file, content in good.items():
            (folder / file).write_bytes(damaged(content, data) if file == name else content)
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        assert_one_line(*outcome("train", "--resume", "--out", folder))
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before

    with mock.patch("dlv3.training.run._run", begun):
        any_run()


TENSORS = st.sampled_from(
    [
        torch.zeros(3),
        torch.full((4, 3, 3, 3), float("nan")),
        torch.zeros(4, 3, 3, 3, dtype=torch.int64),
        torch.zeros(4, 3, 3, 3, dtype=torch.complex64),
        torch.zeros(4, 3, 3, 3).to_sparse(),
        torch.empty(4, 3, 3, 3, device="meta"),
        torch.tensor(1.0),
        torch.zeros(0),
    ]
)


def replaced(values: dict[Any, Any], data: st.DataObject) -> dict[Any, Any]:
    """Replace, remove or add a value or a tensor at any depth of a checkpoint; what is not changed is shared."""
    copy = dict(values)
    key = data.draw(st.sampled_from(list(copy)) if copy else st.text(max_size=3))
    inner = copy.get(key)
    if isinstance(inner, dict) and data.draw(st.integers(0, 4)):
        copy[key] = replaced(inner, data)
    elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and data.draw(st.booleans()):
        copy[key] = [replaced(inner[0], data), *inner[1:]]
    elif key in copy and data.draw(st.integers(0, 4)) == 0:
        del copy[key]
    else:
        copy[data.draw(st.sampled_from([key, "more", 1]))] = data.draw(st.one_of(VALUES, TENSORS))
    return copy


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_any_checkpoint_is_restored_or_named(kind: type[torch.optim.Optimizer], tmp_path: Path):
    path, network = tmp_path / "checkpoint.pt", nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    optimizer = kind(network.parameters(), lr=0.1, **options)
    network(torch.randn(2, 3, 5, 5)).sum().backward()
    optimizer.step()
    state = asdict(TrainingState(iteration=1, validated=1, metrics_bytes=40, losses=[0.5], best_miou=0.3))
    good = state | {"model": network.state_dict(), "optimizer": optimizer.state_dict()}
    checkpoint.save(good, path)
    whole = path.read_bytes()

    @examples(75)
    @given(st.data())
    def any_checkpoint(data: st.DataObject) -> None:
        if data.draw(st.integers(0, 3)):
            checkpoint.save(replaced(good, data), path)
        else:
            path.write_bytes(damaged(whole, data))
        fresh = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        try:
            saved = checkpoint.load(path)
            found = training_state(saved, 10, path)
            restore_model(fresh, saved, path)
            restore_optimizer(kind(fresh.parameters(), lr=0.1, **options), saved, found.iteration, path)
        except ValueError as error:
            assert_one_message(error, str(path))
        else:
            assert all(tensor.isfinite().all() for tensor in fresh.state_dict().values())

    any_checkpoint()


def test_any_safetensors_file_is_read_or_named(tmp_path: Path):
    path = tmp_path / "any.safetensors"
    config = json.dumps(asdict(SMALL))
    weights.save_tensors({"backbone.conv1.weight": torch.zeros(2, 3)}, path, {weights.CONFIG_KEY: config})
    whole = path.read_bytes()
    length = int.from_bytes(whole[:8], "little")
    header, values = json.loads(whole[8 : 8 + length]), whole[8 + length :]

    @examples(80)
    @given(st.data())
    def any_file(data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from(["header", "config", "bytes"]))
        content = whole
        if kind == "header":
            text = as_text(changed(header, data)).encode()
            size = data.draw(
                st.sampled_from([len(text), len(text), len(text), 0, 2**63, 2**64 - 1, len(text) + 1])
            )
            content = struct.pack("<Q", size) + text + values
        elif kind == "bytes":
            content = damaged(whole, data)
        path.write_bytes(content)
        if kind == "config":
            odd = as_text(changed(json.loads(config), data))
            odd = odd if data.draw(st.booleans()) else data.draw(st.text(max_size=20))
            weights.save_tensors({"a": torch.zeros(3)}, path, {weights.CONFIG_KEY: odd})
        for read_file in (weights.load, weights.read_config, weights.read):
            try:
                read_file(path)
            except ValueError as error:
                assert_one_message(error, str(path))

    any_file()


# --- A folder of pictures: its tables and lists, and the pictures themselves ---


def test_any_table_list_or_picture_is_read_or_one_line(tmp_path: Path):
    folder, generator = tmp_path / "photos", np.random.default_rng(0)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for name in ("a", "b"):
        Image.fromarray(generator.integers(0, 255, (5, 6, 3), np.uint8)).save(folder / f"images/{name}.png")
        Image.fromarray(generator.integers(0, 3, (5, 6), np.uint8)).save(folder / f"masks/{name}.png")
    good = {
        "classes.txt": b"sky\nroad\ncar\n",
        "colours.txt": b"0 0 0 sky\n1 1 1 road\n2 2 2 car\n",
        "labelmap.txt": b"sky:0,0,0::\nroad:1,1,1::\n",
        "class_dict.csv": b"name,r,g,b\nsky,0,0,0\nroad,1,1,1\n",
        "train.txt": b"a\n",
        "val.txt": b"b\n",
        ".dlv3-labels.json": b'{"format": 1, "reading": "", "masks": {}}',
        "masks/a.png": (folder / "masks/a.png").read_bytes(),
        "images/a.png": (folder / "images/a.png").read_bytes(),
    }

    @examples(60)
    @given(st.data())
    def any_file(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(good)))
        path = folder / name
        before = path.read_bytes() if path.exists() else None
        content = damaged(good[name], data)
        path.write_bytes(content)
        status, err = outcome("data", "check", folder)
        assert_one_line(0 if status == 1 else status, err)
        try:
            open_dataset(f"folder:{folder}", "train", DataConfig())
        except ValueError as error:
            assert_one_message(error, str(folder))
        if name != ".dlv3-labels.json":
            assert path.read_bytes() == content
        path.unlink() if before is None else path.write_bytes(before)

    any_file()
