"""Checks of lesson 14: one round of messages in a CRF, and DeepLabv3+'s decoder."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for, tensor
from dlv3.course.kit.exercises import Wrong, close, exercise, require, unfinished, written
from dlv3.course.lessons.lesson14_conclusions.boundaries import pair_weights, shifted, window
from dlv3.course.lessons.lesson14_conclusions.decoder import Decoder

LOW, HIGH, CLASSES, REDUCED, CHANNELS = 6, 10, 3, 4, 8


@exercise("14/mean-field", title="One round of messages", difficulty=3, minutes=8)
def mean_field(attempt: Callable[..., Tensor]) -> str:
    generator = torch.Generator().manual_seed(0)
    unary = F.log_softmax(torch.randn(2, 3, 5, 6, generator=generator, dtype=torch.float64) * 2, dim=1)
    q = torch.softmax(torch.randn(2, 3, 5, 6, generator=generator, dtype=torch.float64), dim=1)
    offsets = window(1)
    pictures = torch.rand(2, 3, 5, 6, generator=generator, dtype=torch.float64) * 255
    weights = pair_weights(pictures, offsets, reach=1.0, contrast=90.0)
    call = "`mean_field_step(q, unary, weights, offsets)` with 8 neighbours"
    made = attempt(q.clone(), unary.clone(), [weight.clone() for weight in weights], list(offsets))
    got = tensor(made, call)
    want = dense_step(q, unary, weights, offsets)
    close(got, want, call, tolerance=1e-9, hint=_mean_field_slip(got, q, unary, weights, offsets))
    return "Neighbours vote, near and similar ones count more, and the network's own opinion stays in every round."


def dense_step(q: Tensor, unary: Tensor, weights: list[Tensor], offsets: list[tuple[int, int]]) -> Tensor:
    """Return the same as the step by one large matrix over all pairs of pixels, for small pictures."""
    n, _, height, width = q.shape
    ties = q.new_zeros(n, height * width, height * width)
    for weight, (down, right) in zip(weights, offsets, strict=True):
        for y in range(max(0, -down), min(height, height - down)):
            for x in range(max(0, -right), min(width, width - right)):
                ties[:, y * width + x, (y + down) * width + x + right] = weight[:, 0, y, x]
    message = q.flatten(2) @ ties.transpose(1, 2)  # (N, C, pixels)
    return F.softmax(unary + message.view_as(q), dim=1)


def _mean_field_slip(
    got: object, q: Tensor, unary: Tensor, weights: list[Tensor], offsets: list[tuple[int, int]]
) -> str:
    pairs = list(zip(weights, offsets, strict=True))

    def summed(terms: Iterable[Tensor]) -> Tensor:
        return torch.stack(list(terms)).sum(0)

    message = summed(weight * shifted(q, *offset) for weight, offset in pairs)
    own = summed(weight * q for weight, _ in pairs)
    wrong_way = summed(weight * shifted(q, -down, -right) for weight, (down, right) in pairs)
    last_only = weights[-1] * shifted(q, *offsets[-1])
    slips = [
        (
            unary + message,
            "These are still scores. Make them sum to 1 over the classes: `F.softmax(..., dim=1)`.",
        ),
        (
            (q + message).softmax(1),
            "Start from `unary`, what the network said, not from `q`: otherwise its opinion fades round by round.",
        ),
        (
            (unary + q.log() + message).softmax(1),
            "`unary` holds log-probabilities already. Multiplying with `q` counts the present belief twice.",
        ),
        (message.softmax(1), "The network's opinion, `unary`, is missing."),
        (
            (unary - message).softmax(1),
            "The sign is wrong: neighbours that believe in a class should make it likelier.",
        ),
        (
            (unary + own).softmax(1),
            "You weigh each pixel's own belief. The message is the *neighbours'*: `shifted(q, down, right)`.",
        ),
        (
            (unary + wrong_way).softmax(1),
            "You look the other way: `shifted(q, down, right)` is the neighbour that the weight belongs to.",
        ),
        ((unary + last_only).softmax(1), "Only one neighbour is heard: add up all of them."),
        (
            (unary + message).softmax(0),
            "Each picture and pixel has its own softmax over the classes, axis 1.",
        ),
        ((unary + message).softmax(-1), "The softmax runs over the classes, axis 1, not over the columns."),
    ]
    return hint_for(got, slips, 1e-9)


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
    return "ASPP knows what, an early map knows where: thirty lines are all that v3+ adds to v3."


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
                f"{shown} stops: {error}. Stretch ASPP's answer to the early map's height and width before you "
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
    stretched = F.interpolate(high, size=size, mode="bilinear")
    aligned = F.interpolate(high, size=size, mode="bilinear", align_corners=True)
    shrunk = F.interpolate(reduced, size=high.shape[2:], mode="bilinear")
    return [
        (
            answer(reduced, stretched),
            "ASPP's answer goes first in the concatenation, the early map after it.",
        ),
        (
            answer(F.interpolate(high, size=size), reduced),
            "Stretch bilinearly, with `align_corners=False`; this is the nearest neighbour.",
        ),
        (answer(aligned, reduced), "Stretch with `align_corners=False`."),
        (
            answer(high, shrunk),
            "You shrink the early map, and with it all that it knows of places. Stretch ASPP's answer instead.",
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
