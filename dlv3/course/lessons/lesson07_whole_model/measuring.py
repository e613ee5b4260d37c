"""What each part of a DeepLabv3 costs, measured without computing a number: multiply-adds, memory, lines of code."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

Prices = dict[str, tuple[float, float]]
"""Per part: billions of multiply-adds, and MiB kept for the backward pass, for one picture."""
_FLOPS = 2  # torch counts a multiplication and an addition for each multiply-add
_BATCH = 2  # image pooling's batch normalization cannot train on one picture


def lines_of(part: Any) -> int:
    """Count the lines of a function, or of a class's methods and its first line, without blank ones."""
    members = vars(part).values() if inspect.isclass(part) else [part]
    functions = [member for member in members if inspect.isfunction(member)]
    text = "".join(inspect.getsource(function) for function in functions)
    return sum(bool(line.strip()) for line in text.splitlines()) + inspect.isclass(part)


def chain(model: Any, size: int) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return a model's parts in order, from the images to what the cross-entropy starts with."""
    aspp, classifier = model.classifier

    def finish(features: Tensor) -> Tensor:
        logits = F.interpolate(classifier(features), size=(size, size), mode="bilinear")
        return F.log_softmax(logits, dim=1)

    blocks = {f"block{i}": model.backbone.get_submodule(f"layer{i}") for i in range(1, 5)}
    return {"stem": model.backbone.stem, **blocks, "ASPP": aspp, "logits": finish}


def price_of(build: Callable[[], nn.Module], size: int = 513) -> Prices:
    """Return what each part of a model computes, and what training keeps of it, for one picture.

    `FlopCounterMode` counts what is computed; autograd tells which tensors it keeps. On the meta device, nothing is.

    Args:
        build: makes the model.
        size: the picture's side in pixels.
    """
    with torch.device("meta"):
        model, features = build(), torch.empty(_BATCH, 3, size, size)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # its mask is left out
    seen = {tensor.untyped_storage() for tensor in (features, *model.parameters())}
    prices = {}
    for name, part in chain(model, size).items():
        kept: list[int] = []

        def keep(tensor: Tensor, kept: list[int] = kept) -> Tensor:
            memory = tensor.untyped_storage()
            if tensor.ndim == 4 and tensor.is_floating_point() and memory not in seen:
                seen.add(memory)
                kept.append(4 * tensor.numel())
            return tensor

        with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda t: t):
            features = part(features)
        prices[name] = counter.get_total_flops() / (1e9 * _FLOPS * _BATCH), sum(kept) / _BATCH / 2**20
    return prices


def sums_of(prices: Prices) -> tuple[float, float]:
    """Return the whole model's price."""
    adds, kept = zip(*prices.values(), strict=True)
    return sum(adds), sum(kept)


def price_table(at_16: Prices, at_8: Prices) -> str:
    """Return two models' prices side by side, as text."""
    lines = [
        f"{'':8} {'multiply-adds, billions':>25} {'kept in training, MiB':>27}",
        f"{'':8} {'at 16':>12} {'at 8':>12} {'at 16':>14} {'at 8':>12}",
    ]
    for name, (adds, kept), (adds_8, kept_8) in [
        *((name, at_16[name], at_8[name]) for name in at_16),
        ("all", sums_of(at_16), sums_of(at_8)),
    ]:
        lines.append(f"{name:8} {adds:12.1f} {adds_8:12.1f} {kept:14.0f} {kept_8:12.0f}")
    return "\n".join(lines)
