"""Measure a contender in a process of its own: how long the first picture takes, and how much memory it needs.

The process loads what the contender needs of Python, notes its memory, loads the model from its file and runs each
picture three times, which is enough for all that is prepared. The peak is that of all this, and kept is what is left
when it is done and the allocator has given back what is free. Linux only.
"""

import ctypes
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.compare import lead
from benchmarks.interleave import Spread, Timings
from benchmarks.machine import ROOT
from benchmarks.options import Options
from benchmarks.peers import PEERS, Run, exported
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Missing, Row, Unavailable
from dlv3 import weights
from dlv3.evaluation.inference import PAPER_SCALES, scaled_size
from dlv3.files import write_with

REPEATS = 3
"""Processes of each contender for one size of picture; for several sizes it is one."""
PASSES = 3
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
SUFFIXES = {"torchvision": ".pt", "dlv3": ".safetensors"} | {peer.name: ".onnx" for peer in PEERS}


@dataclass(frozen=True)
class Task:
    """What a process is asked to do."""

    name: str
    """Of the contender."""
    file: str
    """The model: a state dict for torchvision, weights for dlv3, ONNX for the others."""
    output_stride: int
    sizes: tuple[tuple[int, int], ...]
    """Heights and widths of the pictures, in turn."""
    threads: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Task":
        """Return the task that was sent as JSON."""
        return cls(**values | {"sizes": tuple((height, width) for height, width in values["sizes"])})


@dataclass(frozen=True)
class Measured:
    """What a process answers: seconds and bytes."""

    ready: float
    """From the file to a model that is ready."""
    first: float
    """The first picture."""
    peak: int
    kept: int


def memory_rows(options: Options, device: torch.device) -> Iterator[Row | Missing]:
    """Measure pictures of one size, and the paper's six scales of it.

    Raises:
        Unavailable: the system does not tell a process's memory, or the device is a GPU.
    """
    if device.type != "cpu" or not STATUS.exists():
        raise Unavailable("memory is measured on a CPU, under Linux")
    names = ["torchvision", "dlv3"]
    for peer in PEERS if options.peers else ():
        if reason := peer.missing():
            yield Missing("memory", peer.name, reason)
        else:
            names.append(peer.name)
    side = options.size
    cases = {
        "one size": ((side, side),),
        "six scales": tuple(scaled_size((side, side), scale) for scale in PAPER_SCALES),
    }
    with tempfile.TemporaryDirectory() as folder:
        for output_stride in options.output_stride:
            files = _files(names, output_stride, Path(folder))
            for what, sizes in cases.items():
                case: Case = {
                    "os": output_stride,
                    "batch": 1,
                    "size": side,
                    "sizes": what,
                    "threads": options.threads[-1],
                }
                tasks = [
                    Task(name, str(files[name]), output_stride, sizes, options.threads[-1]) for name in names
                ]
                yield from _case(tasks, case, REPEATS if len(sizes) == 1 else 1)


def _files(names: Sequence[str], output_stride: int, folder: Path) -> dict[str, Path]:
    """Write the model once for each kind of contender."""
    theirs = torchvision_model(output_stride)
    ours = our_model(theirs, output_stride)
    files = {name: folder / f"os{output_stride}{SUFFIXES[name]}" for name in names}
    write_with(files["torchvision"], lambda file: torch.save(theirs.state_dict(), file))
    weights.save(ours, files["dlv3"])
    if len(names) > 2:
        exported(ours, folder)
    return files


def _case(tasks: Sequence[Task], case: Case, repeats: int) -> Iterator[Row]:
    found: dict[str, list[Measured]] = {task.name: [] for task in tasks}
    for _ in range(repeats):
        for task in tasks:
            found[task.name].append(measure_alone(task))
    firsts = Timings({name: [one.first for one in ones] for name, ones in found.items()})
    baseline, ours, *peers = found
    for name, ones in found.items():
        ready = Spread.of([one.ready for one in ones]).median
        yield Row(
            "memory",
            name,
            case,
            firsts.time(name),
            ratio=None if name == baseline else firsts.ratio(baseline, name),
            baseline_seconds=None if name == baseline else firsts.time(baseline),
            **(lead(firsts, ours, [baseline, *peers]) if name == ours else {}),
            memory=max(one.peak for one in ones),
            kept=max(one.kept for one in ones),
            note=f"the first picture, {ready:.2f} s after its file",
        )


def measure_alone(task: Task) -> Measured:
    """Measure in a new process.

    Raises:
        RuntimeError: the process failed; the last line of its error is in the message.
    """
    command = [sys.executable, "-m", "benchmarks.alone", json.dumps(asdict(task))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        raise RuntimeError(f"{task.name} in a process of its own: {last}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def measured(task: Task) -> Measured:
    """Do the task in this process."""
    torch.set_num_threads(task.threads)
    start = _starter(task)
    pictures = [torch.randn(1, 3, *size) for size in task.sizes]
    _give_back()
    before = _bytes_of("VmRSS")
    _forget_peak()
    with torch.no_grad():
        begun = time.perf_counter()
        run = start()
        ready = time.perf_counter() - begun
        begun = time.perf_counter()
        run(pictures[0])
        first = time.perf_counter() - begun
        for images in (PASSES * pictures)[1:]:
            run(images)
    _give_back()
    kept = _bytes_of("VmRSS")
    # The system counts the two apart, so that the peak can be some pages short.
    peak = max(kept, _bytes_of("VmHWM"))
    return Measured(ready, first, peak - before, kept - before)


def _starter(task: Task) -> Callable[[], Run]:
    """Return what loads the contender's model; its packages are imported before."""
    file = Path(task.file)
    if task.name == "torchvision":
        with torch.device("meta"):
            skeleton = torchvision_model(task.output_stride)

        def start_torchvision() -> Run:
            skeleton.load_state_dict(torch.load(file, weights_only=True), assign=True)
            return lambda images: skeleton(images)["out"]

        return start_torchvision
    if task.name == "dlv3":
        return lambda: weights.load(file).for_inference()
    peer = next(peer for peer in PEERS if peer.name == task.name)
    __import__(peer.package)
    return lambda: peer.start(file, task.threads, (1, 3, *task.sizes[0]) if len(task.sizes) == 1 else None)


def _give_back() -> None:
    """Let the allocator return what is free to the system."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_peak() -> None:
    """Let the peak begin at the memory in use now, where the system allows it."""
    try:
        # Not a file, but a switch of the system.
        CLEAR.write_text("5")
    except OSError:
        return


def _bytes_of(field: str) -> int:
    """Return a field of this process's status, such as VmRSS."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    print(json.dumps(asdict(measured(Task.of(json.loads(sys.argv[1]))))))
