"""Compare contenders in one case: they take turns with each other and with the machine's own matrix products."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import torch

from benchmarks.counting import Operations
from benchmarks.interleave import Spread, Timings, interleave
from benchmarks.machine import Product, has_bfloat16, matrix_product, synchronised
from benchmarks.options import Options
from benchmarks.rows import Case, Row


@dataclass(frozen=True)
class Contender:
    """Something to be timed."""

    name: str
    run: Callable[[], object]
    dtype: torch.dtype = torch.float32
    """The type that it multiplies."""
    difference: float | None = None
    """From the baseline's answers, if it was measured."""
    note: str = ""
    ours: bool = False
    """Whether its lead over the fastest of the others is shown, where there are others beside the baseline."""
    shown: bool = True
    """Whether it gets a row; a baseline that has one already does not."""


def compared(
    section: str,
    case: Case,
    contenders: Sequence[Contender],
    options: Options,
    device: torch.device,
    operations: Operations | None = None,
    *,
    warm_ups: int = 2,
) -> list[Row]:
    """Time contenders in turns; the first is the baseline.

    Args:
        section, case: of the rows.
        contenders: two or more.
        options: rounds and seconds.
        device: where they run.
        operations: of one call of each; without them the rows say nothing of the machine's limit.
        warm_ups: calls of each beforehand; 1 where each was called for its answer.
    """
    runs = {c.name: synchronised(c.run, device) for c in contenders}
    products: dict[torch.dtype, Product] = {}
    if operations is not None:  # an emulated type has no limit of its own
        dtypes = {c.dtype for c in contenders if not _emulated(c.dtype, device)}
        products = {dtype: matrix_product(dtype, device) for dtype in dtypes}
    runs |= {_product_name(dtype): product.run for dtype, product in products.items()}
    timings = interleave(runs, rounds=options.rounds, budget=options.seconds, warm_ups=warm_ups)
    baseline = contenders[0]
    return [
        Row(
            section,
            c.name,
            case,
            timings.time(c.name),
            ratio=None if c is baseline else timings.ratio(baseline.name, c.name),
            baseline_seconds=None if c is baseline else timings.time(baseline.name),
            share=_share(timings, c, products, operations),
            **_lead(timings, c, contenders),
            difference=c.difference,
            dtype=str(c.dtype).removeprefix("torch."),
            memory=_memory(runs[c.name], device),
            emulated=_emulated(c.dtype, device),
            note=c.note,
        )
        for c in contenders
        if c.shown
    ]


def _emulated(dtype: torch.dtype, device: torch.device) -> bool:
    return dtype == torch.bfloat16 and not has_bfloat16(device)


def _product_name(dtype: torch.dtype) -> str:
    return f"matrix product in {dtype}"


def _share(
    timings: Timings,
    contender: Contender,
    products: dict[torch.dtype, Product],
    operations: Operations | None,
) -> Spread | None:
    """Return the contender's rate of useful operations as a share of that of the matrix products around it."""
    if operations is None or contender.dtype not in products:
        return None
    ratio = timings.ratio(_product_name(contender.dtype), contender.name)
    return ratio.times(operations.useful / products[contender.dtype].operations)


class Lead(TypedDict, total=False):
    """The fields of a row that tell of its lead."""

    lead: Spread
    rival: str


def lead(timings: Timings, ours: str, others: Sequence[str]) -> Lead:
    """Return our lead over the fastest of the others; nothing where the baseline is the only other."""
    if len(others) < 2:
        return {}
    fastest = min(others, key=lambda name: timings.time(name).median)
    return {"lead": timings.ratio(fastest, ours), "rival": fastest}


def _lead(timings: Timings, contender: Contender, contenders: Sequence[Contender]) -> Lead:
    others = [c.name for c in contenders if not c.ours and c.dtype == contender.dtype]
    return lead(timings, contender.name, others) if contender.ours else {}


def _memory(run: Callable[[], object], device: torch.device) -> int | None:
    if device.type != "cuda":
        return None
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    return torch.cuda.max_memory_allocated(device) - before


def relative_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    """Return the largest difference as a share of the largest value."""
    return float((ours.float() - theirs.float()).abs().max() / theirs.abs().max())
