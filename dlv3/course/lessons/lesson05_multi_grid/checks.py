"""Checks of lesson 05, multi-grid: a block's rates, two kinds of holes, the score to expect, rates set in place."""

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dlv3.ablations.probes.expectation import score
from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, written
from dlv3.receptive_field import places_read
from dlv3.resnet import base_rate, max_output_stride

Rates = tuple[int, ...]


def rates_of(block: int, output_stride: int, multi_grid: Rates) -> Rates:
    """Return the rates of a block's 3×3 convolutions."""
    return tuple(base_rate(block, output_stride) * unit for unit in multi_grid)


@exercise("05/block-rates", title="The rates of a block", difficulty=1, minutes=3, gives=answers.as_rates)
def block_rates(attempt: Callable[[int, int, Rates], Rates]) -> str:
    cases = [
        (4, 8, (1, 2, 1)),
        (4, 16, (1, 2, 4)),
        (4, 32, (1, 2, 4)),
        (5, 16, (1, 2, 3)),
        (7, 16, (1, 2, 4)),
    ]
    for block, output_stride, multi_grid in [*cases, (5, 128, (1, 2, 4)), (7, 256, (2, 2, 2))]:

        def times(factor: int, units: Rates = multi_grid) -> Rates:
            return tuple(factor * unit for unit in units)

        call = written("block_rates", (block, output_stride, multi_grid))
        got = answers.sequence(
            attempt(block, output_stride, multi_grid), call, "three rates, one for each unit"
        )
        base, nominal = base_rate(block, output_stride), max_output_stride(block)
        ratio = nominal // output_stride
        hints = {
            multi_grid * base: "A tuple times a number repeats it. Multiply its entries one by one.",
            tuple(base + unit for unit in multi_grid): "The base rate multiplies the unit rates.",
            multi_grid: f"Those are the unit rates. block{block}'s base rate is {base}.",
            (base,) * 3: "That is the base rate three times: each unit multiplies it by its own unit rate.",
            times(ratio): "A rate is at least 1: a block that keeps its strides has base rate 1.",
            times(2 * base): f"That is twice too much: block{block}'s nominal stride is {nominal}.",
            times(max(1, base // 2)): f"That is half of it: block{block}'s nominal stride is {nominal}.",
        }
        equal(got, rates_of(block, output_stride, multi_grid), call, hints)
        answers.whole_rates(got, call)
    return "The paper's example, block4 at output stride 16: 2 · (1, 2, 4) = (2, 4, 8)."


@exercise("05/two-kinds", title="Two kinds of holes", difficulty=3, minutes=6, gives=answers.as_rates)
def two_kinds(attempt: Callable[[Rates, int], tuple[int, int]]) -> str:
    cases = [((1, 2, 4), 1), ((1, 2, 4), 2), ((2, 2, 2), 1), ((2, 2, 2), 2), ((1, 4, 4), 4), ((2, 3, 4), 2)]
    for multi_grid, base in cases:
        call = written("two_kinds", (multi_grid, base))
        wanted = "two numbers: holes in the grid, and samples between its places"
        got = answers.several(attempt(multi_grid, base), call, 2, wanted)
        grid = 1 + 2 * sum(multi_grid)
        field = 1 + 2 * base * sum(multi_grid)
        holes, between, one_more = grid - len(places_read(multi_grid)), field - grid, (base - 1) * grid
        hints = {
            (between, holes): "Those are the right numbers the other way round.",
            (holes + between, between): "The first counts every unread sample. Take only those on the grid.",
            (holes, between + holes): "The second counts every unread sample. Leave out those on the grid.",
            (holes, one_more): f"A grid of {grid} samples has {grid - 1} gaps between them, not {grid}.",
            (grid - 9, between): "Three layers of three taps do not always lead to nine places: several "
            "paths may lead to one. `places_read` counts each place once.",
        }
        equal(tuple(got), (holes, between), call, hints)
    return "The first number comes from the unit rates, the second from the base rate."


def holes_of(multi_grid: Rates, base: int) -> tuple[int, int]:
    """Count the holes in a block's grid, and the samples between its places, along one axis."""
    grid, field = 1 + 2 * sum(multi_grid), 1 + 2 * base * sum(multi_grid)
    return grid - len(places_read(multi_grid)), field - grid


def expected(read: set[tuple[int, int]], asked: list[tuple[int, int]], colours: int) -> float:
    """Return the share of right answers of a network that guesses where it cannot see."""
    return score(len(read.intersection(asked)) / len(asked), colours) / 100


@exercise(
    "05/expected-accuracy", title="The score, before any training", difficulty=1, minutes=3, gives=float
)
def expected_accuracy(attempt: Callable[..., float]) -> str:
    asked = [place for place in itertools.product(range(-6, 7), repeat=2) if place != (0, 0)]
    for rates, colours in (((1, 2, 4), 4), ((1, 1, 1), 4), ((2, 2, 2), 4), ((1, 2, 1), 5), ((1,), 2)):
        read = set(itertools.product(places_read(rates), repeat=2))
        what = f"For rates {rates}, {len(asked)} places and {colours} colours your function"
        got = attempt(set(read), list(asked), colours)
        got = answers.number(got, what)
        seen = len(read.intersection(asked)) / len(asked)
        want = seen + (1 - seen) / colours
        loose = len(read) / len(asked)
        everything = (
            "`read` also holds the target's own place, and places further away than any marker. Count only those that "
            "are in `asked`."
        )
        slips = [
            (seen, "That is the share it sees. Where it does not see, it still guesses."),
            (
                seen + 1 / colours,
                "It does not have to guess where it sees: only the rest, 1 - share, is guessed.",
            ),
            ((1 - seen) / colours, "Those are the guesses alone: add what it sees."),
            (100 * want, "Give a share from 0 to 1, not percent."),
            (loose + (1 - loose) / colours, everything),
        ]
        close(got, want, what, tolerance=1e-9, hint=answers.hint_for(got, slips, 1e-9))
    return "This is only counting, and it tells you what training will reach."


def set_rates(block: nn.Sequential, base: int, multi_grid: Rates) -> None:
    """Give the 3×3 convolutions of a block of torchvision's units their rates, as dlv3 sets its own."""
    for unit, unit_rate in zip(block, multi_grid, strict=True):
        conv = _conv(unit, "conv2")
        conv.dilation = conv.padding = (base * unit_rate, base * unit_rate)


def _block() -> nn.Sequential:
    from torchvision.models.resnet import Bottleneck

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Sequential(*(Bottleneck(16, 4) for _ in range(3))).double().eval()


def _conv(unit: nn.Module, name: str) -> nn.Conv2d:
    conv = getattr(unit, name)
    if not isinstance(conv, nn.Conv2d):
        raise Wrong(
            f"`{name}` is a {type(conv).__name__} now. Set the convolution's attributes, and keep it."
        )
    return conv


def _pair(value: Any) -> tuple[int, int]:
    """Return an attribute of a convolution as a pair: a learner may set a single number."""
    down, right = value if isinstance(value, tuple | list) else (value, value)
    return down, right


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
            f"{call} changes weights. Set the convolutions' attributes, and do not make new convolutions.",
        )
        features = torch.randn(1, 16, 9, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        require(isinstance(block(features), Tensor), f"After {call} the block does not run.")
    return "Three numbers in three layers, and no weight has changed."


def _judge_unit(unit: nn.Module, base: int, factor: int, whose: str) -> None:
    rate, conv = base * factor, _conv(unit, "conv2")
    for name in ("conv1", "conv3"):
        layer = _conv(unit, name)
        require(
            (_pair(layer.dilation), _pair(layer.padding)) == ((1, 1), (0, 0)),
            f"{whose} {name} was changed too. It is 1×1: it has one tap and nothing to spread, and padding would make "
            "its map larger.",
        )
    got = _pair(conv.dilation)
    hints = {
        (1, 1): "It was not changed: set `unit.conv2.dilation`.",
        (base, base): "That is the base rate alone: multiply it by the unit's own factor.",
        (base + factor, base + factor): "The base rate multiplies the unit rate.",
        (factor, factor): "That is the unit rate itself: multiply it by the base rate.",
    }
    equal(got, (rate, rate), f"{whose} conv2: its dilation", hints)
    wider = 2 * (_pair(conv.padding)[0] - rate)
    side = f"A map would become {abs(wider)} samples {'wider' if wider > 0 else 'narrower'}"
    equal(
        _pair(conv.padding),
        (rate, rate),
        f"{whose} conv2: its padding",
        {_pair(conv.padding): f"{side}: a 3×3 keeps the size with a padding equal to its rate."},
    )
