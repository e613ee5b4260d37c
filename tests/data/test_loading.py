"""A killed worker has a name, and other errors keep theirs."""

import os
import signal

import pytest
from torch.utils.data import DataLoader, Dataset

from dlv3.data.loading import WorkerLost, batches_of, loss_in


class Deadly(Dataset):
    """The third item kills the process that reads it."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


def test_killed_worker_is_named_and_what_to_do():
    found = []
    with pytest.raises(WorkerLost, match=r"was killed \(DataLoader worker .*--workers") as error:
        found.extend(int(b) for b in batches_of(DataLoader(Deadly(), num_workers=1, prefetch_factor=1)))
    assert error.value.__context__ is None


def test_without_a_loss_the_batches_are_the_loaders():
    assert list(batches_of([1, 2, 3])) == [1, 2, 3]


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), RuntimeError("a bug"), EOFError("Caught EOFError in DataLoader worker process 0.")],
)
def test_other_errors_are_no_loss(error: Exception):
    assert loss_in(error, while_loading=True) is None


def test_broken_connection_is_a_loss_only_where_the_loader_is_waited_for():
    assert loss_in(ConnectionResetError(), while_loading=True) is not None
    assert loss_in(ConnectionResetError()) is None


def test_other_errors_of_a_loader_are_left_alone():
    def loader():
        yield 1
        raise ValueError("broken picture")

    with pytest.raises(ValueError, match="broken picture"):
        list(batches_of(loader()))
