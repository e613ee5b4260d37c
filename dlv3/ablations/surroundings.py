"""The machine and the software that make a record."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TypedDict

import torch

_SOURCE = Path(__file__).parents[2]
"""The root of the source tree; of an installed package, the folder of all packages."""


class Surroundings(TypedDict):
    """Fields of a record that no cell decides."""

    device: str
    versions: dict[str, str]
    commit: str


def surroundings() -> Surroundings:
    """Return the device, the versions of Python and of the libraries, and the commit of the source tree."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _cpu()
    versions = {name: version(name) for name in ("torch", "torchvision", "numpy")}
    return {
        "device": device,
        "versions": {"python": platform.python_version(), **versions},
        "commit": _commit(),
    }


def processor() -> str:
    """Return the processor's model where the system names it, or an empty text."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _cpu() -> str:
    family = platform.processor() or platform.machine()
    return f"{family} {processor() or 'unknown processor'}, {torch.get_num_threads()} threads"


def _commit() -> str:
    # An installed package may lie inside a repository that is not its own.
    if not (_SOURCE / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(_SOURCE), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
