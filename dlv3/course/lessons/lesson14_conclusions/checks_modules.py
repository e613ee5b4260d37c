"""Check of lesson 14: DeepLabv3+'s decoder."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for
from dlv3.course.kit.exercises import Wrong, close, exercise, require, unfinished, written
from dlv3.course.lessons.lesson14_conclusions.decoder import Decoder

LOW, HIGH, CLASSES, REDUCED, CHANNELS = 6, 10, 3, 4, 8


@exercise("14/decoder", title="DeepLabv3+'s decoder", difficulty=4, minutes=12)
def decoder(attempt: Callable[..., nn.Module]) -> str:
    case = (LOW, HIGH, CLASSES, REDUCED, CHANNELS)
    call = written("Decoder", case)
    mine, right = attempt(*case), Decoder(*case)
    unfinished(mine, call)
    require(isinstance(mine, nn.Module), f"{call} gives a {type(mine).__name__}, but it should be a module.")
    for name in _SIZES:
        require(hasattr(mine, name), f"{call} has no `{name}`. Keep the three names of the docstring.")
        _same_size(getattr(mine, name), getattr(right, name), name)
    torch.manual_seed(1)
    for value in right.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.1)
    for name in _SIZES:
        theirs = getattr(right, name).state_dict().values()
        for own, value in zip(getattr(mine, name).state_dict().values(), theirs, strict=True):
            shape = f"A tensor of `{name}` has the shape {tuple(own.shape)} instead."
            require(own.shape == value.shape, f"{_SIZES[name]} {shape}")
            own.copy_(value)
    low = torch.randn(2, LOW, 9, 13, dtype=torch.float64)
    high = torch.randn(2, HIGH, 3, 4, dtype=torch.float64)
    _same_answer(mine.double().eval(), right.double().eval(), low, high, call)
    _same_default(attempt)
    return "ASPP knows what, an early map knows where: a few lines are all that v3+ adds to v3."


_SIZES = {
    "reduce": "`reduce` is a 1×1 `conv_bn_relu` from the early map's channels to `reduced`.",
    "refine": "`refine` is two 3×3 `conv_bn_relu`: from `high_channels + reduced` to `channels`, then from `channels` "
    "to `channels`.",
    "classifier": "`classifier` is one 1×1 convolution with a bias, from `channels` to `num_classes`, with nothing "
    "after it.",
}


def _same_size(mine: nn.Module, right: nn.Module, name: str) -> None:
    have, want = (sum(p.numel() for p in module.parameters()) for module in (mine, right))
    tensors = [len(module.state_dict()) for module in (mine, right)]
    require(
        have == want and tensors[0] == tensors[1],
        f"`{name}` has {have:,} parameters in {tensors[0]} tensors, but it should have {want:,} in {tensors[1]}. "
        f"{_SIZES[name]}",
    )


def _same_answer(mine: nn.Module, right: Decoder, low: Tensor, high: Tensor, call: str) -> None:
    shown = f"{call} on an early map 9 × 13 and ASPP's answer 3 × 4"
    with torch.no_grad():
        try:
            got = mine(low.clone(), high.clone())
        except RuntimeError as error:
            raise Wrong(
                f"{shown} stops: {error}. Upsample ASPP's answer to the early map's height and width before you "
                "concatenate along the channels."
            ) from None
        unfinished(got, shown)
        wanted, slips = right(low, high), _decoder_slips(right, low, high)
    close(got, wanted, shown, tolerance=1e-9, hint=hint_for(got, slips, 1e-9))


def _decoder_slips(right: Decoder, low: Tensor, high: Tensor) -> list[tuple[Tensor, str]]:
    def answer(*parts: Tensor) -> Tensor:
        logits: Tensor = right.classifier(right.refine(torch.cat(parts, dim=1)))
        return logits

    reduced, size = right.reduce(low), low.shape[2:]
    upsampled = F.interpolate(high, size=size, mode="bilinear")
    aligned = F.interpolate(high, size=size, mode="bilinear", align_corners=True)
    shrunk = F.interpolate(reduced, size=high.shape[2:], mode="bilinear")
    return [
        (
            answer(reduced, upsampled),
            "ASPP's answer goes first in the concatenation, the early map after it.",
        ),
        (
            answer(F.interpolate(high, size=size), reduced),
            "Upsample bilinearly, with `align_corners=False`; this is the nearest neighbour.",
        ),
        (answer(aligned, reduced), "Upsample with `align_corners=False`."),
        (
            answer(high, shrunk),
            "You shrink the early map, and with it all that it knows about places. Upsample ASPP's answer instead.",
        ),
    ]


def _same_default(attempt: Callable[..., nn.Module]) -> None:
    with torch.device("meta"):
        modules = (attempt(256, 256, 21), Decoder(256, 256, 21))
    have, want = (sum(p.numel() for p in module.parameters()) for module in modules)
    require(
        have == want,
        f"`Decoder(256, 256, 21)` has {have:,} parameters, but it should have {want:,}: keep the defaults "
        "`reduced=48, channels=256`.",
    )
