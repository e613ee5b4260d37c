"""Checks of lesson 05, multi-grid: a block's rates, the score to expect, rates set in place."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dlv3.atrous import AtrousConv2d
from dlv3.course.kit.exercises import Wrong, equal, exercise, require, unfinished, written
from dlv3.course.lessons.lesson05_multi_grid.checks_places import Rates, along
from dlv3.resnet import base_rate, max_output_stride


def rates_of(block: int, output_stride: int, multi_grid: Rates) -> Rates:
    """Rates of a block's 3×3 convolutions."""
    return tuple(base_rate(block, output_stride) * unit for unit in multi_grid)


@exercise("05/block-rates", title="The rates of a block", difficulty=1, minutes=3)
def block_rates(attempt: Callable[[int, int, Rates], Rates]) -> str:
    cases = [
        (4, 8, (1, 2, 1)),
        (4, 16, (1, 2, 4)),
        (4, 32, (1, 2, 4)),
        (5, 16, (1, 2, 3)),
        (7, 16, (1, 2, 4)),
    ]
    for block, output_stride, multi_grid in [*cases, (5, 128, (1, 2, 4)), (7, 256, (2, 2, 2))]:
        call = written("block_rates", (block, output_stride, multi_grid))
        got = attempt(block, output_stride, multi_grid)
        unfinished(got, call)
        require(isinstance(got, Iterable), f"{call} gives {got!r}: each of the three units has a rate.")
        got = tuple(got)
        base, nominal = base_rate(block, output_stride), max_output_stride(block)
        hints = {
            tuple(base + unit for unit in multi_grid): "The base rate multiplies the unit rates.",
            multi_grid: f"Those are the unit rates. block{block}'s base rate is {base}.",
            (base,) * 3: "That is the base rate three times: each unit multiplies it by its own unit rate.",
            tuple(
                nominal // output_stride * unit for unit in multi_grid
            ): "A rate is at least 1: where the block keeps its strides, its base rate is 1.",
            tuple(
                2 * base * unit for unit in multi_grid
            ): f"Twice too much: block{block}'s nominal stride is {nominal}.",
            tuple(
                max(1, base // 2) * unit for unit in multi_grid
            ): f"Half of it: block{block}'s nominal stride is {nominal}.",
        }
        equal(got, rates_of(block, output_stride, multi_grid), call, hints)
        require(
            not any(isinstance(rate, float) for rate in got),
            f"{call} gives {got}: a rate is a whole number, divide with `//`.",
        )
    return "The paper's example, block4 at output stride 16: 2 · (1, 2, 4) = (2, 4, 8)."


@exercise("05/expected-accuracy", title="The score, before any training", difficulty=1, minutes=3)
def expected_accuracy(attempt: Callable[..., float]) -> str:
    asked = [place for place in itertools.product(range(-6, 7), repeat=2) if place != (0, 0)]
    for rates, colours in (((1, 2, 4), 4), ((1, 1, 1), 4), ((2, 2, 2), 4), ((1, 2, 1), 5), ((1,), 2)):
        read = set(itertools.product(along(rates), repeat=2))
        what = f"For rates {rates}, {len(asked)} places and {colours} colours your function"
        got = attempt(set(read), list(asked), colours)
        unfinished(got, what)
        seen = len(read.intersection(asked)) / len(asked)
        want = seen + (1 - seen) / colours
        loose = len(read) / len(asked)
        hints = {
            seen: "That is the share it sees. Where it does not see, it still guesses.",
            seen + 1 / colours: "It need not guess where it sees: only the rest, 1 - share, is guessed.",
            (1 - seen) / colours: "Those are the guesses alone: add what it sees.",
            100 * want: "Give a share from 0 to 1, not percent.",
            loose
            + (1 - loose) / colours: "`read` also holds the target's own place, and places farther away than "
            "any marker. Count only those that are in `asked`.",
        }
        for wrong, hint in hints.items():
            if abs(got - wrong) < 1e-9 and abs(wrong - want) > 1e-9:
                raise Wrong(f"{what} gives {got:.4g}, but it should be {want:.4g}. {hint}")
        require(abs(got - want) < 1e-9, f"{what} gives {got:.4g}, but it should be {want:.4g}.")
    return "Nothing but counting, and it tells what training will reach."


def set_rates(block: nn.Sequential, base: int, multi_grid: Rates) -> None:
    """Give the 3×3 convolutions of a block of torchvision's units their rates, as dlv3 sets its own."""
    for unit, unit_rate in zip(block, multi_grid, strict=True):
        AtrousConv2d.set_rate(unit.conv2, base * unit_rate)


def _block() -> nn.Sequential:
    from torchvision.models.resnet import Bottleneck

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Sequential(*(Bottleneck(16, 4) for _ in range(3))).double().eval()


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


@exercise("05/set-multi-grid", title="Multi-grid, in place", difficulty=2, minutes=5)
def set_multi_grid(attempt: Callable[[nn.Sequential, int, Rates], None]) -> str:
    for base, multi_grid in ((4, (3, 1, 2)), (2, (1, 2, 4)), (1, (1, 2, 1)), (4, (2, 2, 2))):
        block, before = _block(), _block().state_dict()
        call = f"`set_multi_grid(block, {base}, {multi_grid})`"
        attempt(block, base, multi_grid)
        for number, (unit, factor) in enumerate(zip(block, multi_grid, strict=True), 1):
            _judge_unit(unit, base, factor, f"After {call} unit {number}'s")
        same = block.state_dict().keys() == before.keys()
        require(
            same and all(torch.equal(block.state_dict()[name], value) for name, value in before.items()),
            f"{call} changes weights. Set the convolutions' attributes, and make no new convolutions.",
        )
        features = torch.randn(1, 16, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        require(isinstance(block(features), Tensor), f"After {call} the block does not run.")
    return "Three numbers in three layers, and not one weight touched."


def _judge_unit(unit: nn.Module, base: int, factor: int, whose: str) -> None:
    rate, conv = base * factor, unit.conv2
    for name in ("conv1", "conv3"):
        layer = getattr(unit, name)
        require(
            (_pair(layer.dilation), _pair(layer.padding)) == ((1, 1), (0, 0)),
            f"{whose} {name} was changed too. It is 1×1: with one tap there is nothing to spread, and padding would "
            "make its map larger.",
        )
    got = _pair(conv.dilation)
    hints = {
        (1, 1): "It was not changed: set `unit.conv2.dilation`.",
        (base, base): "That is the base rate alone: multiply it by the unit's own factor.",
        (base + factor, base + factor): "The base rate multiplies the unit rate.",
        (factor, factor): "That is the unit rate itself: multiply it by the base rate.",
    }
    equal(got, (rate, rate), f"{whose} conv2 has a dilation that", hints)
    side = f"A map of n samples would become {2 * (_pair(conv.padding)[0] - rate):+d} samples wider"
    equal(
        _pair(conv.padding),
        (rate, rate),
        f"{whose} conv2 has a padding that",
        {_pair(conv.padding): f"{side}: a 3×3 keeps the size with a padding equal to its rate."},
    )
