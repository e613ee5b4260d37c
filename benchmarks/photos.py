"""Compare the runtimes on a folder of photos: pictures of many sizes, one at a time, in the order in which they come.

Nearly every picture has a size that no earlier one had, so that what a runtime prepares for a size counts too. The
contenders take turns picture by picture.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.compare import lead, relative_difference
from benchmarks.inference import count_forward, present_peers
from benchmarks.interleave import Spread, Timings
from benchmarks.machine import matrix_product, synchronised, threads
from benchmarks.options import Options
from benchmarks.peers import Peer, exported
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Missing, Row

SIDES = (300, 1200)
"""The shortest and the longest side of a picture."""
LIMIT = "matrix product"
Size = tuple[int, int]
Run = Callable[[Tensor], Tensor]


def photo_rows(options: Options, device: torch.device) -> Iterator[Row | Missing]:
    """Measure the logits of the pictures, at each output stride and number of threads."""
    counts = options.threads[:1] if device.type == "cuda" else options.threads
    peers = yield from present_peers("photos", options, device)
    with tempfile.TemporaryDirectory() as folder:
        for output_stride in options.output_stride:
            model = our_model(torchvision_model(output_stride), output_stride)
            file = exported(model, Path(folder)) if peers else None
            for number in counts:
                with threads(number):
                    runs = runs_of(output_stride, peers, file, device)
                    yield from _case(runs, output_stride, made_sizes(options.photos), device)


def made_sizes(count: int, seed: int = 4) -> list[Size]:
    """Draw heights and widths."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(SIDES[0], SIDES[1] + 1, (count, 2), generator=generator).tolist()
    return [(height, width) for height, width in drawn]


def runs_of(
    output_stride: int, peers: Sequence[Peer], file: Path | None, device: torch.device
) -> dict[str, Run]:
    """Return each contender as a function of images: torchvision, the baseline, then ours, then the peers."""
    theirs = torchvision_model(output_stride).to(device)
    ours = our_model(theirs, output_stride).to(device).for_inference()
    runs: dict[str, Run] = {"torchvision": lambda images: theirs(images)["out"], "dlv3": ours}
    for peer in peers:
        assert file is not None
        runs[peer.name] = peer.start(file, torch.get_num_threads(), None)
    return runs


@torch.no_grad()
def _case(
    runs: dict[str, Run], output_stride: int, sizes: Sequence[Size], device: torch.device
) -> Iterator[Row]:
    product = matrix_product(torch.float32, device)
    seconds: dict[str, list[float]] = {name: [] for name in (*runs, LIMIT)}
    differences = dict.fromkeys(runs, 0.0)
    for run in runs.values():  # what a process starts once
        run(torch.zeros(1, 3, 65, 65, device=device))
    for number, (height, width) in enumerate(sizes):
        images = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(number)).to(device)
        logits: dict[str, Tensor] = {}

        for name in list(seconds)[:: 1 if number % 2 == 0 else -1]:
            call = product.run if name == LIMIT else partial(_answer, runs[name], images, logits, name)
            seconds[name].append(_timed(call, device))
        for name in runs:
            difference = relative_difference(logits[name], logits["torchvision"])
            differences[name] = max(differences[name], difference)
    timings, totals = Timings(seconds), {name: sum(times) for name, times in seconds.items()}
    case: Case = {"os": output_stride, "pictures": len(sizes), "sides": f"{SIDES[0]}–{SIDES[1]}"}
    if device.type == "cpu":
        case["threads"] = torch.get_num_threads()
    useful = sum(count_forward(output_stride, (1, 3, *size)).useful for size in sizes)
    limit = len(sizes) * product.operations / totals[LIMIT]
    baseline, ours, *peers = runs
    for name in runs:
        in_all = "" if name == baseline else f", {totals[baseline] / totals[name]:.2f} times as fast in all"
        yield Row(
            "photos",
            name,
            case,
            timings.time(name),
            ratio=None if name == baseline else timings.ratio(baseline, name),
            baseline_seconds=None if name == baseline else timings.time(baseline),
            share=Spread.of([useful / totals[name] / limit]),
            **(lead(timings, ours, [baseline, *peers]) if name == ours else {}),
            difference=None if name == baseline else differences[name],
            note=f"the folder in {totals[name]:.1f} s{in_all}",
        )


def _answer(run: Run, images: Tensor, logits: dict[str, Tensor], name: str) -> None:
    logits[name] = run(images)


def _timed(call: Callable[[], object], device: torch.device) -> float:
    run = synchronised(call, device)
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
