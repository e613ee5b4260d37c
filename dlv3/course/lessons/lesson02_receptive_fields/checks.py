"""Checks of lesson 02, receptive fields: one layer further, what a gradient sees, holes."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, unfinished, written
from dlv3.receptive_field import Layer, ReceptiveField, count_holes, count_paths


def grown(
    size: int, jump: int, start: float, kernel_size: int, stride: int = 1, rate: int = 1, padding: int = 0
) -> tuple[int, int, float]:
    """Return (size, jump, start) after a layer, as the library computes them."""
    after = ReceptiveField(size, jump, start).through(Layer(kernel_size, stride, rate, padding))
    return after.size, after.jump, after.start


@exercise("02/grow", title="One layer further", difficulty=1, minutes=5, gives=answers.as_rates)
def grow(attempt: Callable[..., tuple[int, int, float]]) -> str:
    # size, jump, start, kernel_size, stride, rate, padding
    cases = (
        (1, 1, 0.0, 7, 2, 1, 3),
        (7, 2, 0.0, 3, 2, 1, 1),
        (11, 4, 0.0, 3, 1, 2, 2),
        (5, 2, 1.5, 3, 1, 4, 0),
        (3, 1, 1.0, 2, 2, 3, 0),
    )
    for case in cases:
        size, jump, start, k, stride, rate, padding = case
        reach = (k - 1) * rate
        want = grown(*case)
        call = written("grow", case)
        got = answers.several(attempt(*case), call, 3, "three numbers: (size, jump, start)")
        size_hints = {
            size + reach * jump * stride: "Use the jump in front of the layer, before the stride changes it.",
            size + (k - 1) * jump: "The rate is missing: taps are `rate` samples apart.",
            size + k * rate * jump: "k taps have k - 1 gaps between them, not k.",
            size + reach: "Samples are `jump` pixels apart: multiply the reach in samples by the jump.",
        }
        equal(got[0], want[0], f"The size of {call}", _wrong_only(size_hints, want[0]))
        spread = "The rate spreads the taps. The distance to the next output depends on the stride."
        jump_hints = {
            jump * rate: spread,
            jump * stride * rate: spread,
            jump + stride: "Jumps multiply: `stride` samples, each `jump` pixels.",
            stride: "Jumps multiply: `stride` samples, each `jump` pixels.",
        }
        equal(got[1], want[1], f"The jump of {call}", _wrong_only(jump_hints, want[1]))
        rounded = start + (reach // 2 - padding) * jump
        start_hints = {
            start + (reach / 2 - padding) * jump * stride: "Use the jump in front of the layer.",
            start + reach / 2 * jump: "The padding is missing: output 0 starts at sample -padding.",
            start + (reach / 2 - padding): "That is in samples. Multiply it by the jump to get pixels.",
            rounded: "Divide with `/`: the centre of an even number of taps is between two samples.",
            (reach / 2 - padding) * jump: "Add it to the start of the map in front.",
        }
        equal(got[2], want[2], f"The start of {call}", _wrong_only(start_hints, want[2]))
    return "Every receptive field in this course is this step, again and again."


def _wrong_only(hints: dict[Any, str], right: Any) -> dict[Any, str]:
    return {value: hint for value, hint in hints.items() if value != right}


def seen_pixels(network: nn.Module, length: int, output: int) -> Tensor:
    """Return the pixels of a strip that an output sees, by its gradient: (length,) booleans."""
    strip = torch.ones(1, 1, length, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(strip)[0, 0, output], strip)
    return gradient[0, 0] != 0


def _ones(*layers: Layer) -> nn.Sequential:
    network = nn.Sequential()
    for layer in layers:
        kernel, stride, padding, rate = layer.kernel_size, layer.stride, layer.reach // 2, layer.rate
        convolution = nn.Conv1d(1, 1, kernel, stride, padding, rate, bias=False)
        nn.init.ones_(convolution.weight)
        network.append(convolution)
    return network


@exercise("02/seen-by-gradient", title="Ask the gradient", difficulty=2, minutes=5)
def seen_by_gradient(attempt: Callable[[nn.Module, int, int], Tensor]) -> str:
    chains = ((Layer(3), Layer(3)), (Layer(3, rate=2), Layer(3, rate=2)), (Layer(3, stride=2), Layer(3)))
    for chain, length, output in zip(chains, (21, 24, 27), (10, 9, 4), strict=True):
        call = f"`seen_by_gradient(network, {length}, {output})`"
        got = answers.tensor(_gradient_of(attempt, _ones(*chain), length, output), call)
        numbers = got.dtype == torch.int64 and got.numel() < length
        mend = (
            "give a boolean for every pixel, not the numbers of those seen"
            if numbers
            else "drop the two axes of size 1"
        )
        require(
            got.shape == (length,),
            f"{call} has the shape {tuple(got.shape)}, but it should be ({length},): {mend}.",
        )
        require(
            got.dtype == torch.bool,
            f"{call} holds numbers of type {got.dtype}. Say which pixels are seen: compare the gradient with 0.",
        )
        paths = count_paths(chain)
        stride = math.prod(layer.stride for layer in chain)
        first = output * stride - len(paths) // 2
        want = torch.zeros(length, dtype=torch.bool)
        want[first : first + len(paths)] = paths > 0
        _same_pixels(got, want, call, stride)
    return "It shows holes too: a pixel between two seen ones may have no gradient."


def _gradient_of(attempt: Callable[[nn.Module, int, int], Tensor], network: nn.Module, *place: int) -> Tensor:
    """Ask the learner's function; name the mistake behind the commonest errors of torch's."""
    try:
        return attempt(network, *place)
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "Nothing in the backward pass leads to the strip: make it with `requires_grad=True`, so that torch "
                "keeps its gradient."
            ) from None
        if "can be implicitly created only for scalar" in str(error):
            raise Wrong(
                "`backward()` starts from one number. Pick the one output: `network(strip)[0, 0, output]`."
            ) from None
        raise
    except (TypeError, AttributeError) as error:
        if "NoneType" in str(error):
            raise Wrong(
                "`strip.grad` is `None`: the strip needs `requires_grad=True`, and `.backward()` must have run before."
            ) from None
        raise


def _same_pixels(got: Tensor, want: Tensor, call: str, stride: int) -> None:
    if torch.equal(got, want):
        return
    if bool(got.all()):
        raise Wrong(
            f"{call} says that every pixel is seen. Take the gradient of one output, not of their sum."
        )
    if torch.equal(got, ~want):
        raise Wrong(f"{call} is the opposite: a pixel is seen where the gradient is *not* 0.")
    hint = ""
    if stride > 1 and int(got.sum()) == int(want.sum()):
        hint = f"With a stride of {stride}, output i lies at pixel {stride} · i: pick the output by its own number."
    elif bool((want & ~got).any()):
        hint = "Every pixel with a gradient other than 0 is seen, however small it is."
    found, right = (mask.nonzero().flatten().tolist() for mask in (got, want))
    raise Wrong(f"{call} finds the pixels {found}, but it should be {right}. {hint}".rstrip())


@exercise("02/unread", title="Count the unread pixels", difficulty=2, minutes=4, gives=plain)
def unread(attempt: Callable[[tuple[int, ...]], int]) -> str:
    for rates in ((2, 2, 2), (1, 1, 1), (1, 2, 3), (2, 3, 4), (4,), (1, 2, 9), (2, 3)):
        holes = count_holes([Layer(3, rate=rate) for rate in rates])
        field = 1 + 2 * sum(rates)
        read = field - holes
        edges = {0}
        for rate in rates:
            edges = {place + tap for place in edges for tap in (-rate, rate)}
        hints = {
            field - len(edges): "A layer has three taps: the middle one, at distance 0, counts too.",
            field - 3: "Continue from every distance reached so far, not from 0 alone.",
            sum(rates) + 1 - read: "The field reaches to both sides: it has 1 + 2 · sum(rates) pixels.",
            read: "Those are the pixels that are read. How many are not?",
            field
            - 1
            - read: "The pixel in the middle belongs to the field too: it has 1 + 2 · sum(rates) pixels.",
            field**2 - read**2: "That is for a whole image. Count along one axis.",
        }
        equal(attempt(rates), holes, written("unread", (rates,)), _wrong_only(hints, holes))
    return "A set is enough: no path has to be followed twice."


@exercise("02/no-holes", title="No holes", difficulty=3, minutes=6, gives=bool)
def no_holes(attempt: Callable[[tuple[int, ...]], bool]) -> str:
    stacks = [s for depth in (1, 2, 3) for s in itertools.combinations_with_replacement(range(1, 11), depth)]
    stacks += [(1, 3, 9, 27), (1, 3, 9, 28), (1, 2, 4, 8), (4, 2, 1), (9, 1, 3), (3, 1, 1, 2)]
    for rates in stacks:
        paths = count_paths([Layer(3, rate=rate) for rate in rates])
        holes = (paths == 0).nonzero().flatten().tolist()
        call = written("no_holes", (rates,))
        got = attempt(rates)
        unfinished(got, call)
        got = plain(got)
        require(isinstance(got, bool), f"{call} gives {got!r}, but it should be `True` or `False`.")
        if got == (not holes):
            continue
        if holes:
            coprime = math.gcd(*rates) == 1 and len(rates) > 1
            why = " The rates have no common factor: that is necessary, but not enough." if coprime else ""
            if rates[:2] == (1, 1):  # the first stack that tells adding from tripling
                why = f" Step by step: {_steps(rates)}. Each rate adds to the window; it does not always triple it."
            raise Wrong(
                f"{call} gives `True`, but of the {len(paths)} pixels in its field {len(holes)} are holes, the first "
                f"at {holes[0]}.{why}"
            )
        order = " Does your rule sort the rates first?" if list(rates) != sorted(rates) else ""
        raise Wrong(
            f"{call} gives `False`, but every one of its {len(paths)} pixels is read.{order or _touching(rates)}"
        )
    return "Smallest first, each rate at most as large as the window that the ones before it fill."


def _touching(rates: tuple[int, ...]) -> str:
    return f" Step by step: {_steps(rates)}. Copies that only just touch leave no gap."


def _steps(rates: tuple[int, ...]) -> str:
    windows = [1 + 2 * sum(rates[:i]) for i in range(len(rates))]
    pairs = zip(rates, windows, strict=True)
    return ", ".join(f"{rate} into a window of {window}" for rate, window in pairs)
