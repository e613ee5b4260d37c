"""Trainings that several files of tests look at, each run once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from training_runs import run_to_the_end, short_run

from dlv3.config.run import RunConfig


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums depend on how threads share them, so all runs that are compared have one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def finished_config() -> RunConfig:
    return short_run(iterations=4, validation_interval=3, tensorboard=True)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, finished_config: RunConfig) -> Path:
    """A run that no test changes."""
    return run_to_the_end(finished_config, tmp_path_factory.mktemp("runs") / "finished")


@pytest.fixture(scope="session")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[RunConfig], Path]:
    """Gives the folder of a run from its first update to its last; equal configurations share one."""
    folders: dict[str, Path] = {}

    def run(config: RunConfig) -> Path:
        key = config.to_json()
        if key not in folders:
            folders[key] = run_to_the_end(config, tmp_path_factory.mktemp("runs") / "uninterrupted")
        return folders[key]

    return run
