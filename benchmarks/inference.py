"""Compare `DeepLabV3.for_inference` with torchvision's deeplabv3_resnet50, eager, contiguous and float32.

And with what an engineer would pick to serve torchvision's model: ONNX Runtime and OpenVINO (`benchmarks.peers`), and
torch.compile.
"""

import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from benchmarks.compare import Contender, compared, relative_difference
from benchmarks.counting import Operations, count
from benchmarks.machine import has_bfloat16, threads
from benchmarks.options import Options
from benchmarks.peers import PEERS, Peer, exported
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Missing, Row

T = TypeVar("T")


def inference_rows(options: Options, device: torch.device) -> Iterator[Row | Missing]:
    """Measure the logits of whole images, at each output stride, batch and number of threads."""
    counts = options.threads[:1] if device.type == "cuda" else options.threads
    peers = yield from present_peers("inference", options, device)
    with tempfile.TemporaryDirectory() as folder:
        for output_stride in options.output_stride:
            theirs = torchvision_model(output_stride)
            file = exported(our_model(theirs, output_stride), Path(folder)) if peers else None
            for number, batch in product(counts, options.batch):
                afresh = _compiling_afresh() if options.compile else nullcontext()
                with threads(number), afresh:
                    case = _Case(theirs.to(device), output_stride, batch, options, device)
                    yield from case.rows(peers, file)


def present_peers(
    section: str, options: Options, device: torch.device
) -> Generator[Missing, None, tuple[Peer, ...]]:
    """Return the runtimes that are installed, and yield a reason for each of the others. They are for CPUs."""
    wanted = PEERS if options.peers and device.type == "cpu" else ()
    for peer in wanted:
        if reason := peer.missing():
            yield Missing(section, peer.name, reason)
    return tuple(peer for peer in wanted if not peer.missing())


class _Case:
    """One output stride, batch and number of threads."""

    def __init__(
        self, theirs: nn.Module, output_stride: int, batch: int, options: Options, device: torch.device
    ) -> None:
        self.theirs, self.output_stride, self.options, self.device = theirs, output_stride, options, device
        self.shape = (batch, 3, options.size, options.size)
        self.images = torch.randn(self.shape, generator=torch.Generator().manual_seed(1)).to(device)
        self.expected = exactly(lambda: self._torchvision(), device)
        self.case: Case = {"os": output_stride, "batch": batch, "size": options.size}
        if device.type == "cpu":
            self.case["threads"] = torch.get_num_threads()

    @torch.no_grad()
    def rows(self, peers: Sequence[Peer], file: Path | None) -> Iterator[Row]:
        """Measure all contenders; `file` is the exported model for the peers."""
        ours = our_model(self.theirs, self.output_stride).to(self.device)
        baseline = Contender("torchvision", self._torchvision)
        contenders = [baseline, self._ours("dlv3", ours.for_inference(), torch.float32)]
        for peer in peers:
            assert file is not None
            run = peer.start(file, torch.get_num_threads(), self.shape)
            contenders.append(self._contender(peer.name, run, torch.float32))
        if self.options.compile:
            contenders.append(self._contender("torchvision, compiled", self._compiled(), torch.float32))
        in_bfloat16 = self.options.emulated or has_bfloat16(self.device)
        if in_bfloat16:
            autocast = _autocast(self.theirs, self.images, self.device)
            difference = relative_difference(autocast(), self.expected)
            contenders += [
                Contender("torchvision, autocast", autocast, torch.bfloat16, difference),
                self._ours("dlv3, bfloat16", ours.for_inference(torch.bfloat16), torch.bfloat16),
            ]
        yield from self._compared(contenders)
        if not self.options.compile:
            return
        unseen = Contender(baseline.name, baseline.run, shown=False)
        for dtype in (torch.float32, torch.bfloat16)[: 1 + in_bfloat16]:
            name = "dlv3, compiled" + ", bfloat16" * (dtype == torch.bfloat16)
            with _compiling_afresh():
                compiled = self._ours(name, ours.for_inference(dtype, compile=True), dtype)
                yield from self._compared([unseen, compiled])

    def _torchvision(self) -> Tensor:
        with torch.no_grad():
            logits: Tensor = self.theirs(self.images)["out"]
            return logits

    def _compiled(self) -> Callable[[Tensor], Tensor]:
        """Return torchvision's model compiled as torch advises for serving on its device."""
        on_cpu = self.device.type == "cpu"
        compiled = torch.compile(
            self.theirs, dynamic=False, options={"freezing": True} if on_cpu else {"triton.cudagraphs": True}
        )
        return lambda images: compiled(images)["out"]

    def _ours(self, name: str, model: nn.Module, dtype: torch.dtype) -> Contender:
        return replace(self._contender(name, model, dtype), ours=True)

    def _contender(self, name: str, run: Callable[[Tensor], Tensor], dtype: torch.dtype) -> Contender:
        images = self.images
        difference = relative_difference(exactly(lambda: run(images), self.device), self.expected)
        return Contender(name, lambda: run(images), dtype, difference)

    def _compared(self, contenders: Sequence[Contender]) -> list[Row]:
        operations = count_forward(self.output_stride, self.shape)
        arguments = ("inference", self.case, contenders, self.options, self.device, operations)
        # Each was called for its difference.
        return compared(*arguments, warm_ups=1)


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
