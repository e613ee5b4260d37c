"""What a checkpoint holds is compared with the training that it is restored into: one line, never a crash."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from training_runs import run_to_the_end, short_run

from dlv3.config.run import RunConfig
from dlv3.data import open_dataset
from dlv3.data.made.scenes import CLASSES
from dlv3.training import CheckpointError, checkpoint, train
from dlv3.training.checkpoint import TrainingState
from dlv3.training.distributed import Processes
from dlv3.training.restoring import restore_optimizer, training_state
from dlv3.training.start import build_model
from dlv3.training.updates import Updater

HERE = Path("run/checkpoint.pt")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = run_to_the_end(short_run(iterations=2), tmp_path_factory.mktemp("runs") / "run")
    return checkpoint.load(out / "checkpoint.pt")


@pytest.fixture(scope="module")
def updater() -> Updater:
    """A training that has not begun. A refused checkpoint leaves it so."""
    config = short_run(iterations=4)
    return Updater(build_model(config, load=False), config.training, Processes(torch.device("cpu")))


def put(*keys: object, value: object) -> Callable[[dict[str, Any]], None]:
    """Give a change of a checkpoint: the value at a place."""

    def change(state: dict[str, Any]) -> None:
        for key in keys[:-1]:
            state = state[key]
        state[keys[-1]] = value

    return change


def drop(*keys: object) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        for key in keys[:-1]:
            state = state[key]
        del state[keys[-1]]

    return change


CONV1 = ("model", "backbone.conv1.weight")
MOMENTUM = ("optimizer", "state", 0, "momentum_buffer")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("iteration"), "state: has no 'iteration'; expected int"),
        (put("iteration", value=10**9), r"iteration=1000000000: expected at most training\.iterations=4"),
        (put("iteration", value=-1), "iteration=-1: expected a whole number of at least 0"),
        (put("iteration", value="2"), r"state\.iteration='2': expected int"),
        (put("iteration", value=True), r"state\.iteration=True: expected int"),
        (put("iteration", value=torch.tensor(2)), r"state\.iteration=tensor\(2\): expected int"),
        (put("validated", value=3), "validated=3: expected 0 to iteration=2"),
        (put("validated", value=None), r"state\.validated=None: expected int"),
        (put("metrics_bytes", value=-5), "metrics_bytes=-5: expected a whole number of at least 0"),
        (put("losses", value=[1.0, "x"]), r"state\.losses=\[1\.0, 'x'\]: expected list\[float\]"),
        (put("losses", value=[1.0] * 9), r"losses=\[.*\]: expected at most 2 numbers"),
        (put("frobs", value=1), "'frobs' is not a field"),
        (drop("model"), "model: expected a dictionary, got nothing"),
        (put("model", value=[1]), "model: expected a dictionary, got list"),
        (put(*CONV1, value=3), r"model\.backbone\.conv1\.weight: expected a tensor, got int"),
        (
            put(*CONV1, value=torch.zeros(1)),
            r"backbone\.conv1\.weight is \(1,\), in this model \(16, 3, 3, 3\)",
        ),
        (
            put(*CONV1, value=torch.zeros(16, 3, 3, 3, dtype=torch.int64)),
            r"conv1\.weight is \(16, 3, 3, 3\) of torch\.int64, expected \(16, 3, 3, 3\) of torch\.float32",
        ),
        (
            put(*CONV1, value=torch.full((16, 3, 3, 3), torch.nan)),
            r"conv1\.weight: holds values that are not finite",
        ),
        (
            put(*CONV1, value=torch.zeros(16, 3, 3, 3).to_sparse()),
            r"conv1\.weight: expected a tensor, got a sparse",
        ),
        (
            put(*CONV1, value=torch.zeros(16, 3, 3, 3, device="meta")),
            "expected a tensor, got a strided tensor on meta",
        ),
        (drop(*CONV1), r"of another architecture: backbone\.conv1\.weight is missing"),
        (put("optimizer", value=None), "optimizer: expected a dictionary, got nothing"),
        (put("optimizer", "param_groups", value=3), r"its optimizer does not fit.*training\.initial_weights"),
        (put("optimizer", "param_groups", 0, "params", value=[0]), "its optimizer does not fit"),
        (put("optimizer", "state", value=[]), "state: expected a dictionary, got list"),
        (put("optimizer", "state", value={}), r"optimizer\.state: has 0 parameters, expected \d\d"),
        (
            put("optimizer", "state", 0, value=None),
            r"optimizer\.state\.0: expected momentum_buffer; it is of another",
        ),
        (
            put("optimizer", "state", 0, value={"exp_avg": 1}),
            r"optimizer\.state\.0: expected momentum_buffer",
        ),
        (put(*MOMENTUM, value=None), r"optimizer\.state\.0\.momentum_buffer: expected a tensor, got nothing"),
        (
            put(*MOMENTUM, value=torch.zeros(1)),
            r"optimizer\.state\.0\.momentum_buffer is \(1,\) of torch\.float32, expected \(16, 3, 3, 3\)",
        ),
        (put(*MOMENTUM, value=torch.zeros(16, 3, 3, 3).double()), r"momentum_buffer is .* of torch\.float64"),
        (
            put(*MOMENTUM, value=torch.full((16, 3, 3, 3), torch.inf)),
            "momentum_buffer: holds values that are not",
        ),
    ],
)
def test_field_that_does_not_fit_is_named(
    saved: dict[str, Any], updater: Updater, change: Callable[[dict[str, Any]], None], message: str
):
    state = copy.deepcopy(saved)
    change(state)

    def restore() -> None:
        training_state(state, 4, HERE)
        updater.restore(state, HERE)

    with pytest.raises(ValueError, match=message) as error:
        restore()
    assert "checkpoint.pt: " in str(error.value)
    assert "\n" not in str(error.value)


def test_momentum_of_another_shape_does_not_crash_a_resumed_run(tmp_path: Path):
    out = run_to_the_end(short_run(iterations=1), tmp_path / "run")
    state = checkpoint.load(out / "checkpoint.pt")
    state["optimizer"]["state"][0]["momentum_buffer"] = torch.zeros(1)
    torch.save(state, out / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="momentum_buffer is"):
        run_to_the_end(short_run(iterations=2), out, resume=True)


def test_fewer_iterations_than_the_run_has_done_are_refused(tmp_path: Path):
    out = run_to_the_end(short_run(iterations=2), tmp_path / "run")
    with pytest.raises(CheckpointError, match=r"iteration=2: expected at most training\.iterations=1"):
        run_to_the_end(short_run(iterations=1), out, resume=True)


def test_sound_checkpoint_is_restored(saved: dict[str, Any], updater: Updater):
    state = training_state(saved, 4, HERE)
    assert state == TrainingState(2, 0, state.metrics_bytes, [], classes=list(CLASSES), colours=state.colours)
    updater.restore(saved, HERE)
    restored = updater.state()
    assert all(torch.equal(t, restored["model"][name]) for name, t in saved["model"].items())
    for number, kept in saved["optimizer"]["state"].items():
        assert torch.equal(kept["momentum_buffer"], restored["optimizer"]["state"][number]["momentum_buffer"])


def test_momentum_is_laid_out_as_its_parameter():
    # Fused kernels walk through the memory of both side by side.
    parameter = torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last).requires_grad_()
    optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
    saved = optimizer.state_dict()
    saved["state"] = {0: {"momentum_buffer": torch.arange(96.0).view(2, 3, 4, 4)}}
    restore_optimizer(optimizer, {"optimizer": saved}, 1, HERE)
    momentum = optimizer.state[parameter]["momentum_buffer"]
    assert momentum.stride() == parameter.stride()
    assert torch.equal(momentum, torch.arange(96.0).view(2, 3, 4, 4))


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.SGD(p, lr=0.1),
        lambda p: torch.optim.AdamW(p, lr=0.1),
        lambda p: torch.optim.AdamW([{"params": p[:1], "lr": 0.01}, {"params": p[1:]}], lr=0.1),
    ],
    ids=["momentum", "plain", "adamw", "two groups"],
)
def test_state_of_each_optimizer_is_restored_and_its_options_are_not(
    make: Callable[..., torch.optim.Optimizer],
):
    def parameters() -> list[torch.Tensor]:
        return [torch.ones(3, 2, requires_grad=True), torch.ones(5, requires_grad=True)]

    first, second = parameters(), parameters()
    optimizer, other = make(first), make(second)
    for p in first:
        p.grad = torch.full_like(p, 0.5)
    optimizer.step()
    state = optimizer.state_dict()
    state["param_groups"][0]["lr"] = "high"
    restore_optimizer(other, {"optimizer": state}, 1, HERE)
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]
    for p, q in zip(first, second, strict=True):
        assert optimizer.state[p].keys() == other.state[q].keys()
        assert all(torch.equal(value, other.state[q][name]) for name, value in optimizer.state[p].items())


def test_run_is_not_resumed_with_its_classes_in_another_order(finished: Path, finished_config: RunConfig):
    before = (finished / "checkpoint.pt").read_bytes()
    dataset = open_dataset("scenes", "train", finished_config.data)
    dataset.classes = CLASSES[::-1]
    with pytest.raises(ValueError, match=r"^scenes: class 0 was 'background' when the run began, and is '"):
        train(finished_config, finished, resume=True, progress=False, train_dataset=dataset)
    assert (finished / "checkpoint.pt").read_bytes() == before
