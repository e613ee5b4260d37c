"""Two processes are one: the same global batch gives the same weights, to float tolerance."""

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from training_runs import final_weights, metrics, short_run

from dlv3.training import train
from dlv3.training.distributed import choose_device, joined
from dlv3.training.sync_batch_norm import synchronise_batch_norm

CPU = torch.device("cpu")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _child(rank: int, count: int, port: str, work: Callable, arguments: tuple) -> None:
    torch.set_num_threads(1)
    place = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=count, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    os.environ.update({name: str(value) for name, value in place.items()})
    work(*arguments)


def in_processes(count: int, work: Callable, *arguments: object) -> None:
    """Run `work` in processes that find each other as torchrun's do."""
    context, port = multiprocessing.get_context("forkserver"), free_port()
    context.set_forkserver_preload(["dlv3.training.run", "dlv3.data.made.scenes"])
    children = [
        context.Process(target=_child, args=(rank, count, port, work, arguments)) for rank in range(count)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=120)
    assert [child.exitcode for child in children] == [0] * count


def _normalise_share(folder: Path, images: torch.Tensor, gradient: torch.Tensor) -> None:
    with joined("cpu") as processes:
        model = nn.Sequential(nn.BatchNorm2d(5, momentum=0.3))
        model[0].load_state_dict(torch.load(folder / "norm.pt"))
        synchronise_batch_norm(model, CPU)
        share = slice(0, 3) if processes.rank == 0 else slice(3, 4)  # unequal shares
        x = images[share].clone().requires_grad_()
        y = model(x)
        y.backward(gradient[share])
        found = dict(y=y.detach(), x=x.grad, weight=model[0].weight.grad, bias=model[0].bias.grad)
        torch.save((found, model[0].state_dict()), folder / f"{processes.rank}.pt")


def test_synchronised_batch_norm_is_batch_norm_over_all_processes(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    images = 3 + 2 * torch.randn(4, 5, 7, 6, generator=generator)
    gradient = torch.randn(4, 5, 7, 6, generator=generator)
    norm = nn.BatchNorm2d(5, momentum=0.3)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.bias.uniform_(-1, 1)
    torch.save(norm.state_dict(), tmp_path / "norm.pt")
    in_processes(2, _normalise_share, tmp_path, images, gradient)
    x = images.clone().requires_grad_()
    y = norm(x)
    y.backward(gradient)
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    close = dict(rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat([found["y"] for found, _ in shares]), y.detach(), **close)
    torch.testing.assert_close(torch.cat([found["x"] for found, _ in shares]), x.grad, **close)
    for name in ("weight", "bias"):  # what data parallelism adds up
        total = sum(found[name] for found, _ in shares)
        torch.testing.assert_close(total, getattr(norm, name).grad, **close)
    for _, state in shares:
        for name, tensor in norm.state_dict().items():
            torch.testing.assert_close(state[name], tensor, **close)


def _train(config: object, out: Path) -> None:
    train(config, out, progress=False)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_two_processes_end_in_the_weights_of_one(tmp_path: Path, accumulate: int):
    # Dropout's numbers differ from process to process; scaled crops have unequal numbers of labelled pixels.
    config = short_run(
        model=dict(dropout=0.0),
        batch_size=8,
        iterations=4,
        validation_interval=4,
        scale=(0.15, 0.4),
        accumulate=accumulate,
    )
    train(config, tmp_path / "one", progress=False)
    in_processes(2, _train, config, tmp_path / "two")
    one, two = final_weights(tmp_path / "one"), final_weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4, msg=name)
    for ours, theirs in zip(metrics(tmp_path / "two"), metrics(tmp_path / "one"), strict=True):
        assert ours["iteration"] == theirs["iteration"]
        score = "loss" if ours["kind"] == "train" else "miou"
        assert ours[score] == pytest.approx(theirs[score], abs=1e-3)


def test_torchrun_trains_from_the_command_line_and_one_process_reports(tmp_path: Path):
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        free_port(),
    ]
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
    with pytest.raises(ValueError, match="device='abacus'"):
        choose_device("abacus")
