"""Recorded runs: one JSON file a run, and what may be said of several."""

import json
import math
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dlv3.files import write_atomically

# The 97.5th percentile of Student's t by degrees of freedom, 1 to 30 (any table of it).
T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """One run: a cell of a table, trained and evaluated once."""

    table: str
    row: str
    preset: str
    seed: int
    split: str
    miou: float
    """From 0 to 1."""
    iou: dict[str, float | None]
    """By class; None for a class that does not occur."""
    groups: dict[str, float]
    """Secondary scores, by name."""
    config: dict[str, Any]
    """The `RunConfig`, as plain values."""
    device: str
    versions: dict[str, str]
    commit: str
    seconds: float
    """Wall time of the training and this evaluation."""

    def score(self, name: str) -> float:
        """mIOU ("miou") or a group's, in percent."""
        return 100 * (self.miou if name == "miou" else self.groups[name])

    def path(self, folder: Path) -> Path:
        """Where the record lies under a folder of results."""
        safe = "".join(c if c.isalnum() else "-" for c in self.row)
        while "--" in safe:
            safe = safe.replace("--", "-")
        return folder / self.preset / self.table / f"{safe.strip('-')}.seed{self.seed}.json"

    def write(self, folder: Path) -> Path:
        """Write the record. Returns its path."""
        path = self.path(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())
        return path


def read(folder: Path) -> list[Record]:
    """All records under a folder.

    Raises:
        ValueError: a file that is no record, named.
    """
    records = []
    for path in sorted(folder.glob("*/*/*.json")):
        try:
            records.append(Record(**json.loads(path.read_text())))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path}: is no record of a run ({error})") from error
    return records


def surroundings() -> dict[str, Any]:
    """What a record says of the machine: device, versions, commit."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else _processor()
    versions = {name: version(name) for name in ("torch", "torchvision", "numpy")}
    return {
        "device": device,
        "versions": {"python": platform.python_version(), **versions},
        "commit": _commit(),
    }


def _processor() -> str:
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        model = names[0] if names else model
    return f"{platform.processor() or platform.machine()} {model}, {torch.get_num_threads()} threads"


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@dataclass(frozen=True)
class Difference:
    """The mean of differences between paired runs (equal seeds), with its 95% confidence interval."""

    mean: float
    low: float
    high: float
    pairs: int
    same_sign: bool
    """Whether every pair points the same way."""

    @property
    def verdict(self) -> str:
        """What may be said of a claim that the difference is above 0.

        The rule, fixed before any run: "reproduced" if the 95% interval lies above 0, "opposite" if it lies below;
        otherwise "same direction" if every seed's difference is above 0, and else "within noise". Fewer than three
        pairs are never more than "same direction".
        """
        if self.pairs >= 3 and self.low > 0:
            return "reproduced"
        if self.pairs >= 3 and self.high < 0:
            return "opposite"
        return "same direction" if self.same_sign and self.mean > 0 else "within noise"


def paired_difference(better: Iterable[Record], worse: Iterable[Record], score: str) -> Difference | None:
    """better minus worse over the seeds that both have, in points of mIOU; None where there is none."""
    ours = {record.seed: record.score(score) for record in better}
    theirs = {record.seed: record.score(score) for record in worse}
    return difference([ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())])


def difference(values: Sequence[float]) -> Difference | None:
    """Mean and 95% interval (Student's t) of differences; None of none. One alone has an endless interval."""
    if not values:
        return None
    mean = statistics.fmean(values)
    half = math.inf
    if len(values) > 1:
        quantile = T_975[min(len(values) - 1, len(T_975)) - 1]
        half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    same = all(v > 0 for v in values) or all(v < 0 for v in values)
    return Difference(mean, mean - half, mean + half, len(values), same)
