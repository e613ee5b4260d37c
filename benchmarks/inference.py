"""Compare `DeepLabV3.for_inference` with torchvision's deeplabv3_resnet50, eager, contiguous and float32."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from itertools import product
from typing import TypeVar

import torch
from torch import Tensor, nn

from benchmarks.compare import Contender, compared, relative_difference
from benchmarks.counting import Operations, count
from benchmarks.machine import has_bfloat16, threads
from benchmarks.options import Options
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Row

T = TypeVar("T")


def inference_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure the logits of whole images, at each output stride, batch and number of threads."""
    counts = options.threads[:1] if device.type == "cuda" else options.threads
    for output_stride in options.output_stride:
        theirs = torchvision_model(output_stride)
        for number, batch in product(counts, options.batch):
            with threads(number):
                yield from _case(theirs, output_stride, batch, options, device)


@torch.no_grad()
def _case(
    theirs: nn.Module, output_stride: int, batch: int, options: Options, device: torch.device
) -> Iterator[Row]:
    shape = (batch, 3, options.size, options.size)
    operations = count_forward(output_stride, shape)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(device)
    case: Case = {"os": output_stride, "batch": batch, "size": options.size}
    if device.type == "cpu":
        case["threads"] = torch.get_num_threads()
    theirs = theirs.to(device)
    ours = our_model(theirs, output_stride).to(device)
    expected = exactly(lambda: theirs(images)["out"], device)

    def contender(name: str, model: nn.Module, dtype: torch.dtype) -> Contender:
        difference = relative_difference(exactly(lambda: model(images), device), expected)
        return Contender(name, lambda: model(images), dtype, difference)

    baseline = Contender("torchvision", lambda: theirs(images)["out"])
    contenders = [baseline, contender("dlv3", ours.for_inference(), torch.float32)]
    in_bfloat16 = options.emulated or has_bfloat16(device)
    if in_bfloat16:
        autocast = _autocast(theirs, images, device)
        difference = relative_difference(autocast(), expected)
        contenders += [
            Contender("torchvision, autocast", autocast, torch.bfloat16, difference),
            contender("dlv3, bfloat16", ours.for_inference(torch.bfloat16), torch.bfloat16),
        ]
    yield from compared("inference", case, contenders, options, device, operations)
    if not options.compile:
        return
    unseen = Contender(baseline.name, baseline.run, shown=False)
    for dtype in (torch.float32, torch.bfloat16)[: 1 + in_bfloat16]:
        name = "dlv3, compiled" + ", bfloat16" * (dtype == torch.bfloat16)
        with _compiling_afresh():
            compiled = contender(name, ours.for_inference(dtype, compile=True), dtype)
            yield from compared("inference", case, [unseen, compiled], options, device, operations)


@cache
def count_forward(output_stride: int, shape: tuple[int, ...]) -> Operations:
    """Count the operations of torchvision's model on images of a shape, without computing them."""
    with torch.device("meta"), torch.no_grad():
        model, images = torchvision_model(output_stride), torch.empty(shape)
        return count(lambda: model(images)["out"])


def exactly(call: Callable[[], T], device: torch.device) -> T:
    """Return a call's answer without TF32, which torch's convolutions use on a GPU and which has ten bits only."""
    with nullcontext() if device.type == "cpu" else torch.backends.cudnn.flags(allow_tf32=False):
        return call()


def _autocast(model: nn.Module, images: Tensor, device: torch.device) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.autocast(device.type, torch.bfloat16):
            logits: Tensor = model(images)["out"]
            return logits

    return run


@contextmanager
def _compiling_afresh() -> Iterator[None]:
    """Use nothing that was compiled before.

    It may be for other threads, and a second model of the same structure would take the graph of the first and leave
    its own weights unfrozen.
    """
    torch._dynamo.reset()
    try:
        # torch warns that its caches are off.
        with (
            torch._inductor.config.patch(force_disable_caches=True),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        torch._dynamo.reset()
