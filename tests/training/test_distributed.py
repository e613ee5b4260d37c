"""Two processes are one: the same global batch gives the same weights, to float tolerance."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from child_processes import free_port, in_processes
from torch import Tensor
from training_runs import final_weights, metrics, run_to_the_end, scored, short_run

from dlv3.config.run import RunConfig
from dlv3.training import TrainingResult, checkpoint, train
from dlv3.training.distributed import Processes, choose_device, joined, processes_started, rank_given
from dlv3.weights import load_tensors

PARTS = (1, 2)


def run_in_parts(accumulate: int) -> RunConfig:
    # Dropout's numbers differ from process to process; scaled crops have unequal numbers of labelled pixels.
    return short_run(
        model=dict(dropout=0.0),
        batch_size=8,
        iterations=4,
        validation_interval=4,
        scale=(0.15, 0.4),
        accumulate=accumulate,
    )


def careful_run() -> RunConfig:
    """A run that weighs classes by their frequency, keeps its best weights and stops early."""
    config = run_in_parts(accumulate=1)
    options = dict(class_balance="median-frequency", keep_best=True, patience=2, validation_interval=1)
    return replace(config, training=replace(config.training, iterations=6, **options))


def train_carefully(out: Path) -> TrainingResult:
    """Train; the second validation's score is the best."""
    with pytest.MonkeyPatch.context() as patch:
        scored(patch, 0.2, 0.5, 0.3, 0.4, 0.9, 0.9)
        return train(careful_run(), out, progress=False)


def _work(folder: Path) -> None:
    """Ask the other process, then train once for each number of parts, in the group of one `joined`."""
    with joined("cpu") as processes:
        rank = processes.rank
        found = dict(
            sum=processes.sum(torch.tensor(float(rank + 1))).item(),
            any=(processes.any(rank == 1), processes.any(False)),
            first=processes.first,
        )
        torch.save(found, folder / f"{rank}.pt")
        for accumulate in PARTS:
            run_to_the_end(run_in_parts(accumulate), folder / f"parts{accumulate}")
        result = train_carefully(folder / "careful")
        assert (result.iterations, result.best_iteration) == (4, 2)


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes did together."""
    folder = tmp_path_factory.mktemp("two")
    in_processes(2, _work, folder)
    return folder


@pytest.mark.parametrize("accumulate", PARTS)
def test_two_processes_end_in_the_weights_of_one(tmp_path: Path, of_two: Path, accumulate: int):
    one, two = run_to_the_end(run_in_parts(accumulate), tmp_path / "one"), of_two / f"parts{accumulate}"
    assert_close(final_weights(two), final_weights(one))
    for line, expected in zip(metrics(two), metrics(one), strict=True):
        assert line["iteration"] == expected["iteration"]
        score = "loss" if line["kind"] == "train" else "miou"
        assert line[score] == pytest.approx(expected[score], abs=1e-3)


def assert_close(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-3, atol=1e-4, msg=name)


def test_two_processes_weigh_classes_keep_the_best_and_stop_early_as_one_does(tmp_path: Path, of_two: Path):
    one, two = tmp_path / "one", of_two / "careful"
    result = train_carefully(one)
    assert (result.iterations, result.best_iteration) == (4, 2)
    assert [(m["kind"], m["iteration"]) for m in metrics(two)] == [
        (m["kind"], m["iteration"]) for m in metrics(one)
    ]
    states = [checkpoint.load(folder / "checkpoint.pt") for folder in (two, one)]
    for field in ("iteration", "class_weights", "best_miou", "best_iteration", "without_gain"):
        assert states[0][field] == states[1][field]
    assert_close(final_weights(two), final_weights(one))
    assert_close(*(load_tensors(folder / "best.safetensors")[0] for folder in (two, one)))


def test_processes_know_of_each_other(of_two: Path):
    first, second = (torch.load(of_two / f"{rank}.pt") for rank in range(2))
    assert (first["sum"], second["sum"]) == (3, 3)
    assert first["any"] == second["any"] == (True, False)
    assert (first["first"], second["first"]) == (True, False)


def test_one_process_asks_nobody():
    alone = Processes(torch.device("cpu"))
    assert alone.first
    assert not alone.several
    assert alone.sum(torch.tensor(2.0)).item() == 2
    assert (alone.any(True), alone.any(False)) == (True, False)
    alone.wait()


@pytest.mark.slow
def test_torchrun_trains_from_the_command_line_and_one_process_reports(tmp_path: Path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-port", free_port()]
    command += ["-m", "dlv3", "train", "--preset", "tiny", "--out", str(out), "--training.iterations", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 iterations done") == 1
    assert done.stdout.count("pixel accuracy") == 1  # one table, by one of the processes
    assert [m["kind"] for m in metrics(out)] == ["train", "validation"]


def test_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="device='cuda:99': cannot be used on this machine .*; give cpu"):
        choose_device("cuda:99")
    for name in ("abacus", "meta", "privateuseone", "cuda:-1", "cuda:999", ""):
        with pytest.raises(ValueError, match=f"device='{name}': expected auto, cpu, cuda, cuda:1 or mps$"):
            choose_device(name)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "x"}, "environment variable WORLD_SIZE='x': expected 1 to 65535; start several"),
        ({"WORLD_SIZE": "0"}, "environment variable WORLD_SIZE='0': expected 1 to"),
        ({"WORLD_SIZE": "9" * 5000}, "environment variable WORLD_SIZE='999"),
        ({"WORLD_SIZE": "2"}, "environment variable RANK='': expected 0 to 1; start several"),
        ({"WORLD_SIZE": "2", "RANK": "2"}, "environment variable RANK='2': expected 0 to 1"),
        (
            {"WORLD_SIZE": "2", "RANK": "0", "MASTER_PORT": "x"},
            "environment variable MASTER_PORT='x': expected",
        ),
        ({"WORLD_SIZE": "2", "RANK": "0", "MASTER_PORT": "1"}, "cannot be joined: .*MASTER_ADDR expected"),
    ],
)
def test_odd_variables_of_the_environment_are_named(variables, message, monkeypatch: pytest.MonkeyPatch):
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=message), joined("cpu"):
        pass


def test_the_variables_are_read_where_there_are_several_processes_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "7")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert (processes_started(), rank_given()) == (1, 0)
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert (processes_started(), rank_given()) == (8, 7)
