"""Measure what a run waits for before it computes: the drawing of scenes, and `import dlv3` in a new process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count

import torch

from benchmarks.interleave import interleave
from benchmarks.options import Options
from benchmarks.rows import Row
from dlv3.data.made.scenes import Scenes


def data_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure the drawing of scenes by one process, at the lessons' size and at the paper's crop size."""
    for size in (129, 513):
        scenes, numbers = Scenes("train", size=size), count()

        def draw(scenes: Scenes = scenes, numbers: Iterator[int] = numbers) -> object:
            return scenes[next(numbers) % len(scenes)]  # another one each time

        timings = interleave({"draw": draw}, rounds=options.rounds, budget=options.seconds)
        seconds = timings.time("draw")
        yield Row("data", "a scene", {"size": size}, seconds, note=f"{1 / seconds.median:.0f} a second")


def import_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure imports beside that of torch, each in a new process that is timed from start to end."""
    codes = ("import torch", "import dlv3", "from dlv3 import DeepLabV3")
    runs = {code: _in_a_process(code) for code in codes}
    timings = interleave(runs, rounds=options.rounds, budget=options.seconds)
    notes = ("", "the rest is loaded on first use", "torch included")
    for code, note in zip(codes, notes, strict=True):
        yield Row("import", code, {}, timings.time(code), note=note)


def _in_a_process(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)
