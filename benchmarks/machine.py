"""The machine that is measured: its description, and the speed at which it multiplies matrices."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dlv3.ablations.surroundings import processor, surroundings
from dlv3.training.updates import autocast_type

ROOT = Path(__file__).parents[1]
PRODUCT_SIDE = {"cpu": 1024, "cuda": 8192}
"""Rows and columns of the matrices whose product is taken as the machine's limit."""


@dataclass(frozen=True)
class Machine:
    """The machine of a record."""

    device: str
    """"cpu" or "cuda"."""
    name: str
    instructions: str
    """The instructions of torch's kernels: AVX2, AVX512, …; for a GPU its compute capability."""
    cores: int
    bfloat16: bool
    """Whether the hardware multiplies bfloat16; elsewhere it is emulated, and slower than float32."""
    versions: dict[str, str]
    commit: str
    changed: bool
    """Whether the library or the benchmarks differed from the commit."""

    def line(self) -> str:
        """Return the machine in one line."""
        has = "has" if self.bfloat16 else "no"
        return (
            f"{self.name}, {self.instructions}, {self.cores} cores, {has} bfloat16; "
            f"torch {self.versions['torch']}, torchvision {self.versions['torchvision']}, "
            f"commit {self.commit[:7]}{' with changes' if self.changed else ''}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def describe(device: torch.device) -> Machine:
    """Describe the machine with the device that is measured."""
    around = surroundings()
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
        instructions = "compute capability {}.{}".format(*torch.cuda.get_device_capability(device))
    else:
        name = processor() or platform.processor() or platform.machine()
        instructions = torch.backends.cpu.get_cpu_capability()
    return Machine(
        device.type,
        name,
        instructions,
        os.cpu_count() or 1,
        has_bfloat16(device),
        around["versions"],
        around["commit"],
        _changed(),
    )


def has_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies bfloat16, by the rule of `TrainingConfig.precision` "auto"."""
    return autocast_type("auto", device) is torch.bfloat16


def _changed() -> bool:
    command = ["git", "-C", str(ROOT), "status", "--porcelain", "--", "dlv3", "benchmarks"]
    try:
        return bool(subprocess.run(command, capture_output=True, check=True).stdout)
    except (OSError, subprocess.CalledProcessError):
        return False  # then the commit is unknown as well


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch compute with `number` threads inside the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def synchronised(call: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Return a call that ends when the device is done."""
    if device.type != "cuda":
        return call

    def run() -> object:
        result = call()
        torch.cuda.synchronize(device)
        return result

    return run


@dataclass(frozen=True)
class Product:
    """A product of two matrices that are already where it needs them."""

    run: Callable[[], object]
    operations: int


def matrix_product(dtype: torch.dtype, device: torch.device, side: int | None = None) -> Product:
    """Return the machine's fastest product of two square matrices, the limit of every network's speed.

    On a CPU there are torch's own product and oneDNN's (a 1×1 convolution with weights packed beforehand). Both are
    tried, because the processor decides which is faster. On a GPU float32 is multiplied as TF32, torch's default for
    convolutions.

    Args:
        dtype: float32 or bfloat16.
        device: where to multiply.
        side: rows and columns, a square number on a CPU.
    """
    side = side or PRODUCT_SIDE[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    candidates = [synchronised(lambda: _multiply(left, right, out), device)]
    if device.type == "cpu" and _packs(dtype):
        candidates.append(_packed_product(left, right))
    fastest = min(candidates, key=best_time) if len(candidates) > 1 else candidates[0]
    return Product(fastest, 2 * side**3)


@torch.no_grad()
def _multiply(left: Tensor, right: Tensor, out: Tensor) -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    torch.mm(left, right, out=out)
    torch.backends.cuda.matmul.allow_tf32 = before


def _packs(dtype: torch.dtype) -> bool:
    available = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
    return available and (dtype == torch.float32 or has_bfloat16(torch.device("cpu")))


def _packed_product(left: Tensor, right: Tensor) -> Callable[[], object]:
    """Return the product as a 1×1 convolution over a square image: a row is a pixel, a column a channel."""
    rows, columns = left.shape
    side = round(rows**0.5)
    images = left.view(1, side, side, columns).permute(0, 3, 1, 2)  # (1, columns, side, side), channels last
    geometry = ([0, 0], [1, 1], [1, 1], 1)
    kernel = right.t().contiguous().view(columns, columns, 1, 1)
    # torch's stub of this function lacks all arguments after the first.
    reorder: Callable[..., Tensor] = torch._C._nn.mkldnn_reorder_conv2d_weight
    packed = reorder(kernel.to_mkldnn(), *geometry, list(images.shape))
    with_nothing_after: tuple[str, list[float], str] = ("none", [], "")
    return torch.no_grad()(
        lambda: torch.ops.mkldnn._convolution_pointwise(images, packed, None, *geometry, *with_nothing_after)
    )


def best_time(call: Callable[[], object], runs: int = 5) -> float:
    """Return the seconds of the fastest of some calls, after one that does not count."""
    call()
    times = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)
