"""The learner's machine: what it offers, and whether that is enough for the lessons."""

import os
import platform
from dataclasses import dataclass

import torch

from dlv3.course.kit.cards import Card

# The lowest versions that the project declares; what the slowest lesson needs to stay under its minute.
LEAST_PYTHON, LEAST_TORCH = (3, 11), (2, 11)
LEAST_CORES, LEAST_MEMORY = 2, 4.0  # GiB


@dataclass(frozen=True)
class Machine:
    """A machine as the lessons see it.

    Args:
        python, torch: versions, such as "3.12.4" and "2.11.0+cpu".
        cores: processor cores that this process may use.
        memory: GiB of main memory; None if the system does not say.
        accelerator: the name of a GPU that torch can use, or None.
    """

    python: str
    torch: str
    cores: int
    memory: float | None = None
    accelerator: str | None = None

    @classmethod
    def here(cls) -> "Machine":
        """Return the machine that runs this process."""
        return cls(platform.python_version(), torch.__version__, _cores(), _memory(), _accelerator())

    def lacks(self) -> tuple[str, ...]:
        """Return a sentence for each thing that is below the course's needs, with what to do about it."""
        missing = []
        for name, version, least in (
            ("Python", self.python, LEAST_PYTHON),
            ("torch", self.torch, LEAST_TORCH),
        ):
            if _number(version) < least:
                wanted = ".".join(map(str, least))
                missing.append(f"{name} is {version}: install {wanted} or newer.")
        if self.cores < LEAST_CORES:
            missing.append(
                "One core only: everything runs, but it takes about twice as long as the lessons say."
            )
        if self.memory is not None and self.memory < LEAST_MEMORY:
            missing.append(
                f"{self.memory:.1f} GiB of memory: close other programs, and shut down the kernels of lessons "
                "you have finished."
            )
        return tuple(missing)

    def verdict(self) -> Card:
        """Return a card that says whether the lessons will run well here."""
        missing = self.lacks()
        if missing:
            return Card("note", "You can start, but note:", "\n".join(missing))
        gpu = (
            ""
            if self.accelerator is None
            else " The lessons do not need its GPU; a training of your own will."
        )
        return Card("right", "Your machine is ready.", f"Every lesson runs here within its stated time.{gpu}")

    def __str__(self) -> str:
        memory = "unknown" if self.memory is None else f"{self.memory:.0f} GiB"
        rows = {
            "Python": self.python,
            "torch": self.torch,
            "cores": self.cores,
            "memory": memory,
            "GPU": self.accelerator or "none (none is needed)",
        }
        return "\n".join(f"{name:<7} {value}" for name, value in rows.items())


def _number(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version: (2, 11) of "2.11.0+cpu"."""
    return tuple(int(part) for part in version.split(".")[:2])


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: the cores of this process, not of the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def _accelerator() -> str | None:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name(0)
    return "Apple's (MPS)" if torch.backends.mps.is_available() else None
