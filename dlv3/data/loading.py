"""Name the loss of a loader's worker: a process that reads pictures and was killed, most often because memory ran out.

torch reports it as a plain RuntimeError, from wherever the main thread happens to be, or as a broken connection.
"""

import traceback
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")


class WorkerLost(RuntimeError):  # noqa: N818  what happened, as in other names of this kind
    """A process that reads pictures was killed.

    Attributes:
        while_loading: True if it was noticed while a batch was waited for, so that nothing else was under way.
    """

    def __init__(self, message: str, *, while_loading: bool = False) -> None:
        super().__init__(message)
        self.while_loading = while_loading


def loss_in(error: Exception, *, while_loading: bool = False) -> WorkerLost | None:
    """Return the loss that an error tells of, or None for any other error.

    Raise it outside of the `except`: an exception that refers to torch's error keeps the loader and its other workers.

    Args:
        error: what was raised.
        while_loading: whether a batch was waited for. A broken connection is a loss only then.
    """
    if isinstance(error, WorkerLost):
        return error
    text = " ".join(str(error).split()) or type(error).__name__
    connection = while_loading and isinstance(error, ConnectionError | EOFError)
    # "Caught …" is an error in a worker that lives.
    if text.startswith("Caught ") or not (connection or text.startswith("DataLoader worker (pid")):
        return None
    return WorkerLost(
        f"a process that reads pictures was killed ({text.rstrip('.')}), most often because memory ran out: lower the "
        "number of workers (--training.workers, --workers), or give 0 to read without them",
        while_loading=while_loading,
    )


def batches_of(loader: Iterable[T]) -> Generator[T]:
    """Yield a loader's batches, and end its workers when that ends: by an error, or by `close`.

    Workers of a training ignore the signal by which Python would end them with the program, which would wait for ever.

    Raises:
        WorkerLost: one of its workers was killed.
    """
    batches, lost = iter(loader), None
    try:
        while lost is None:
            try:
                batch = next(batches)
            except StopIteration:
                return
            except Exception as error:
                # An error's traceback refers to the loader, and would keep it and its workers.
                traceback.clear_frames(error.__traceback__)
                lost = loss_in(error, while_loading=True)
                if lost is None:
                    raise
            else:
                yield batch
    finally:
        # A loader ends its workers when nothing refers to it.
        del batches
    raise lost
