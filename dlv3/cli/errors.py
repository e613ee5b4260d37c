"""Turn an exception into one line on stderr, `dlv3: error: …`, and an exit status."""

import re

from dlv3.printed import say

BAD_INPUT, FAILED, INTERRUPTED, BROKEN_PIPE = 2, 1, 130, 141


def print_error(message: str) -> None:
    """Print a message to stderr as one line."""
    print_line("dlv3: error: " + re.sub(r"\s*[\r\n]+\s*", " ", message.strip()))


def print_line(line: str) -> None:
    """Print a line to stderr."""
    say(line, error=True)


def status_of(error: Exception) -> int | None:
    """Print what a user needs to know about an error.

    Returns:
        The exit status, or None for an error that a user cannot cause: a bug, of which nothing is printed.
    """
    if isinstance(error, ValueError | OSError):
        print_error(_one_line(error))
        return BAD_INPUT

    # torch is imported by now, or none of the errors below can have been raised.
    import torch

    from dlv3.data.loading import WorkerLost
    from dlv3.training.loop import TrainingDiverged
    from dlv3.training.stopping import TrainingStopped

    if isinstance(error, TrainingStopped):
        print_line(f"dlv3: {error}")
        return 128 + error.signal
    if isinstance(error, TrainingDiverged | WorkerLost):
        print_error(str(error))
        return FAILED
    if isinstance(error, torch.OutOfMemoryError):
        print_error(
            f"the GPU's memory is not enough ({_one_line(error)}): lower training.batch_size or training.crop_size, "
            "or raise training.accumulate"
        )
        return BAD_INPUT
    if _memory_ran_out(error):
        print_error(
            f"the memory is not enough ({_one_line(error)}): lower training.batch_size, training.crop_size or the "
            "number of workers, or raise training.accumulate"
        )
        return BAD_INPUT
    return None


def _memory_ran_out(error: Exception) -> bool:
    """Tell whether Python, torch's allocator or a C++ library got no more of the machine's memory."""
    signs = ("can't allocate memory", "not enough memory", "bad_alloc", "Cannot allocate memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)
    )


def _one_line(error: Exception) -> str:
    """Return the message. An error from a loader's worker contains a traceback, of which only the last line is kept."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    lines = re.split(r"\s*[\r\n]+\s*", str(error).strip() or type(error).__name__)
    # torch: "Caught DataError in DataLoader worker process 0."
    if lines[0].startswith("Caught "):
        return lines[-1].partition(": ")[2] or lines[-1]
    return " ".join(lines)
