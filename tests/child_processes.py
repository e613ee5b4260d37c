"""Processes that tests start: forked from one server that has imported the library once, so that each starts fast."""

import multiprocessing
import os
import socket
from collections.abc import Callable

import torch

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["pytest", "dlv3.training.run", "dlv3.data.made.scenes"])
_PATIENCE = 120  # seconds; no test waits so long unless something hangs


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def in_processes(count: int, work: Callable[..., None], *arguments: object) -> None:
    """Run `work` in processes that find each other as torchrun's do."""
    port = free_port()
    children = [
        CONTEXT.Process(target=_child, args=(rank, count, port, work, arguments)) for rank in range(count)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(timeout=_PATIENCE)
        child.kill()
    assert [child.exitcode for child in children] == [0] * count


def _child(
    rank: int, count: int, port: str, work: Callable[..., None], arguments: tuple[object, ...]
) -> None:
    torch.set_num_threads(1)
    place = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=count, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    os.environ.update({name: str(value) for name, value in place.items()})
    work(*arguments)
