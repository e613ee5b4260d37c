"""Where the time of our model goes: a picture's and a training step's, by kind of operation.

Each operation is timed by itself, with the rate at which a matrix product, or a convolution, multiplies as a share of
the machine's own matrix products. What runs at nearly the full rate can only become faster with fewer multiplications.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.counting import useful
from benchmarks.interleave import Spread
from benchmarks.machine import best_time, matrix_product, threads
from benchmarks.options import Options
from benchmarks.reference import our_model, torchvision_model
from benchmarks.rows import Case, Row, Unavailable
from benchmarks.training import dlv3_step, made_batch

POINTWISE, DIRECT, TILES = "1×1 convolutions", "k×k convolutions, directly", "products of the tiles"
TAPS, NORMALIZATION, REST = (
    "gradients tap by tap",
    "batch normalization",
    "sums of the tiles, ReLU, copies, sampling",
)
KINDS = (POINTWISE, DIRECT, TILES, TAPS, NORMALIZATION, REST)
LEAST = 0.005
"""The share of the time below which a kind has no row."""


class Parts(TorchDispatchMode):
    """Times the operations inside the block, by kind, and counts what they multiply."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has no types for it
        self.seconds = dict.fromkeys(KINDS, 0.0)
        self.operations = dict.fromkeys(KINDS, 0)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        begun = time.perf_counter()
        found = func(*args, **(kwargs or {}))
        taken = time.perf_counter() - begun
        kind, operations = classified(func.overloadpacket.__name__, args, found)
        self.seconds[kind] += taken
        self.operations[kind] += operations
        return found


def classified(name: str, args: Sequence[Any], found: Any) -> tuple[str, int]:
    """Return the kind of an operation, and the floating-point operations of its products, padding left out.

    Args:
        name: torch's name, without its overload.
        args: its arguments.
        found: its answer.
    """
    if name == "convolution":
        return _convolution(args[0], args[1], found, *args[3:6])
    if name == "_convolution_pointwise":
        padding, stride, rate = args[3:6]
        return _convolution(args[0], args[1], found, stride, padding, rate)
    if name == "_convolution_pointwise_":  # onto a residual, in place
        padding, stride, rate = args[4:7]
        return _convolution(args[1], args[2], found, stride, padding, rate)
    if name == "convolution_backward":
        kind, operations = _convolution(args[1], args[2], args[0], *args[4:7])
        return kind, operations * sum(args[10][:2])
    if name in ("bmm", "baddbmm_", "mm"):
        left, right = args[-2:]
        # A tile's matrix, the same one for each tile, or a filter's nine taps at the points of a tile, or back.
        if (name == "bmm" and left.stride()[0] == 0) or (name == "mm" and 9 in left.shape):
            return REST, 0
        return TAPS if name == "mm" else TILES, 2 * left.numel() * right.shape[-1]
    return NORMALIZATION if "batch_norm" in name else REST, 0


def _convolution(
    images: Tensor,
    weight: Tensor,
    out: Tensor,
    stride: Sequence[int],
    padding: Sequence[int],
    rate: Sequence[int],
) -> tuple[str, int]:
    operations = useful(images.shape, weight.shape, out.shape, stride, padding, rate)
    if weight.shape[2:].numel() > 1:
        return DIRECT, operations
    # The products of the tiles are a 1×1 convolution in groups, one for each pair of points.
    return TILES if images.shape[1] > weight.shape[1] else POINTWISE, operations


def part_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure one picture, and one training step, at each output stride and number of threads.

    Raises:
        Unavailable: the device is a GPU, where an operation is not done when its call returns.
    """
    if device.type != "cpu":
        raise Unavailable("the parts are measured on a CPU")
    images = torch.randn(1, 3, options.size, options.size)
    batch = made_batch((options.training_batch, 3, options.training_size, options.training_size), device)
    for output_stride in options.output_stride:
        model = our_model(torchvision_model(output_stride), output_stride)
        served, step = model.for_inference(), dlv3_step(model, batch, torch.float32)
        cases: list[tuple[str, Tensor, Callable[[], object]]] = [
            ("picture", images, lambda served=served: served(images)),  # type: ignore[misc]
            ("training step", batch[0], step),
        ]
        for number in options.threads:
            with threads(number):
                for what, x, run in cases:
                    case: Case = {
                        "os": output_stride,
                        "batch": len(x),
                        "size": x.shape[-1],
                        "threads": number,
                    }
                    yield from _case(what, case, run, options)


def _case(what: str, case: Case, run: Callable[[], object], options: Options) -> Iterator[Row]:
    product = matrix_product(torch.float32, torch.device("cpu"))
    run()
    run()  # weights are packed for a size when it is met again
    rounds: list[Parts] = []
    limits: list[float] = []
    begun = time.perf_counter()
    while not rounds or (len(rounds) < options.rounds and time.perf_counter() - begun < options.seconds):
        limits.append(product.operations / best_time(product.run))
        with Parts() as parts:
            run()
        rounds.append(parts)
    for kind in KINDS:
        of_all = Spread.of([parts.seconds[kind] / sum(parts.seconds.values()) for parts in rounds])
        if of_all.median < LEAST:
            continue
        rates = [
            parts.operations[kind] / parts.seconds[kind] / limit
            for parts, limit in zip(rounds, limits, strict=True)
        ]
        yield Row(
            "parts",
            f"{what}, {kind}",
            case,
            Spread.of([parts.seconds[kind] for parts in rounds]),
            share=Spread.of(rates) if rounds[0].operations[kind] else None,
            note=f"{100 * of_all.median:.0f}% of the {what}'s time",
        )
