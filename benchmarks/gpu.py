"""Compare inference and a training step on a GPU with all that torch's users switch on for torchvision's model.

In each precision the baseline is torchvision's model in eager mode; in bfloat16 that is torch's automatic mixed
precision (AMP). Beside it are channels-last memory, CUDA graphs and, with --compile, torch.compile. On a CPU, where it
is rehearsed, there are no graphs and no TF32.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from benchmarks.compare import Contender, compared, relative_difference
from benchmarks.inference import count_forward, exactly
from benchmarks.machine import has_bfloat16
from benchmarks.options import Options
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Row, Unavailable
from benchmarks.training import Batch, count_step, dlv3_step, made_batch, plain_step

Precision = Literal["float32", "TF32", "bfloat16"]
Run = Callable[[Tensor], Tensor]
WARM_UPS = 3
"""Calls before a graph is recorded, as torch advises."""


@dataclass(frozen=True)
class Way:
    """One way to run a model."""

    ours: bool
    channels_last: bool = False
    graph: bool = False
    compile: bool = False

    @property
    def name(self) -> str:
        switched = [
            "channels last" * (self.channels_last and not self.ours),
            "CUDA graph" * self.graph,
            "compiled" * self.compile,
        ]
        return ", ".join(["dlv3" if self.ours else "torchvision", *filter(None, switched)])


def ways(options: Options, device: torch.device, *, training: bool = False) -> list[Way]:
    """Return the ways to compare; the first is torchvision's eager model. `for_inference` is channels last itself."""
    found = [Way(ours=False), Way(ours=False, channels_last=True), Way(ours=True, channels_last=True)]
    if device.type == "cuda" and not training:
        found += [Way(ours=ours, channels_last=True, graph=True) for ours in (False, True)]
    if options.compile:
        found += [Way(ours=ours, channels_last=True, compile=True) for ours in (False, True)]
    return found


def gpu_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure inference, then the training step, in each precision.

    Raises:
        Unavailable: the device is a CPU, and nobody asked for this section by name.
    """
    if device.type == "cpu" and "gpu" not in options.sections:
        raise Unavailable("for GPUs: --device cuda")
    for output_stride in options.output_stride:
        theirs = torchvision_model(output_stride).to(device)
        for precision in precisions(options, device):
            with computing_in(precision, device):
                for batch in options.batch:
                    yield from _inference(theirs, output_stride, batch, precision, options, device)
                yield from _training(theirs, output_stride, precision, options, device)


def precisions(options: Options, device: torch.device) -> list[Precision]:
    """Return those of the device."""
    found: list[Precision] = ["float32"]
    if device.type == "cuda":
        found.append("TF32")
    if options.emulated or has_bfloat16(device):
        found.append("bfloat16")
    return found


@contextmanager
def computing_in(precision: Precision, device: torch.device) -> Iterator[None]:
    """Allow TF32 inside the block, or forbid it; cuDNN tries its algorithms."""
    if device.type == "cpu":
        yield
        return
    allowed = precision != "float32"
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        with torch.backends.cudnn.flags(benchmark=True, deterministic=False, allow_tf32=allowed):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _inference(
    theirs: nn.Module,
    output_stride: int,
    batch: int,
    precision: Precision,
    options: Options,
    device: torch.device,
) -> list[Row]:
    shape = (batch, 3, options.size, options.size)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(device)
    dtype = _multiplied(precision)
    with torch.no_grad():
        expected = exactly(lambda: theirs(images)["out"], device)
    contenders = []
    for way in ways(options, device):
        torch.compiler.reset()
        run = _model(way, theirs, output_stride, precision, device)
        if way.graph:
            run = graphed(run, images)
        difference = relative_difference(run(images), expected)
        call = _Call(run, images)
        contenders.append(Contender(way.name, call, dtype, difference, ours=way.ours))
    operations = count_forward(output_stride, shape)
    case = _case(output_stride, batch, options.size, precision)
    rows = compared("gpu inference", case, contenders, options, device, operations)
    return [replace(row, dtype=precision) for row in rows]


@dataclass(frozen=True)
class _Call:
    run: Run
    images: Tensor

    def __call__(self) -> Tensor:
        return self.run(self.images)


def _model(
    way: Way, theirs: nn.Module, output_stride: int, precision: Precision, device: torch.device
) -> Run:
    """Return a function from images, (N, 3, H, W) and contiguous as they come from a loader, to logits."""
    mode = "reduce-overhead" if device.type == "cuda" else None  # which uses CUDA graphs
    if way.ours:
        served = our_model(theirs, output_stride).to(device).for_inference(_multiplied(precision))
        model: Run = torch.compile(served, mode=mode) if way.compile else served
        return _without_gradients(model, nullcontext)
    net = copy.deepcopy(theirs)
    layout = torch.channels_last if way.channels_last else torch.contiguous_format
    net.to(memory_format=layout)
    compiled = torch.compile(net, mode=mode) if way.compile else net

    def run(images: Tensor) -> Tensor:
        logits: Tensor = compiled(images.contiguous(memory_format=layout))["out"]
        return logits

    return _without_gradients(run, lambda: _autocast(precision, device))


def _without_gradients(run: Run, around: Callable[[], AbstractContextManager[object]]) -> Run:
    def called(images: Tensor) -> Tensor:
        with torch.no_grad(), around():
            return run(images)

    return called


def _autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    # A graph is recorded once, so that no cast of the weights may be left to be remembered between calls.
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)


def graphed(run: Run, images: Tensor) -> Run:
    """Record a call as a CUDA graph, and return a function that replays it on images of the same shape."""
    held = images.clone()
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(WARM_UPS):
            run(held)
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        logits = run(held)

    def replay(images: Tensor) -> Tensor:
        held.copy_(images)
        graph.replay()
        return logits

    return replay


def _training(
    theirs: nn.Module, output_stride: int, precision: Precision, options: Options, device: torch.device
) -> list[Row]:
    shape = (options.training_batch, 3, options.training_size, options.training_size)
    batch, dtype = made_batch(shape, device), _multiplied(precision)
    contenders = []
    for way in ways(options, device, training=True):
        torch.compiler.reset()
        step = _step(way, theirs, output_stride, batch, dtype, precision)
        contenders.append(Contender(way.name, step, dtype, ours=way.ours))
    case = _case(output_stride, shape[0], shape[2], precision)
    rows = compared("gpu training", case, contenders, options, device, count_step(output_stride, shape))
    return [replace(row, dtype=precision) for row in rows]


def _step(
    way: Way,
    theirs: nn.Module,
    output_stride: int,
    batch: Batch,
    dtype: torch.dtype,
    precision: Precision,
) -> Callable[[], object]:
    if way.ours:
        tf32 = precision != "float32"
        return dlv3_step(our_model(theirs, output_stride), batch, dtype, compile=way.compile, tf32=tf32)
    layout = torch.channels_last if way.channels_last else torch.contiguous_format
    net = copy.deepcopy(theirs).to(memory_format=layout)
    images, labels = batch
    step_batch = (images.contiguous(memory_format=layout), labels)
    return plain_step(net, step_batch, dtype, compile=way.compile)


def _multiplied(precision: Precision) -> torch.dtype:
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _case(output_stride: int, batch: int, size: int, precision: Precision) -> Case:
    return {"os": output_stride, "batch": batch, "size": size, "precision": precision}
