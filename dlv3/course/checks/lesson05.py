"""Checks of lesson 05, multi-grid."""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from dlv3 import receptive_field
from dlv3.course.exercises import Wrong, equal, exercise, require, unfinished, written
from dlv3.receptive_field import Layer
from dlv3.resnet import base_rate, max_output_stride

Place = tuple[int, int]  # rows, columns from the output
Rates = tuple[int, ...]


def _along(rates: Iterable[int]) -> list[int]:
    """The distances along one axis that a stack reads, by the library's count of paths."""
    layers = [Layer(3, rate=rate) for rate in rates]
    paths = receptive_field.count_paths(layers)
    return (paths.nonzero().flatten() - len(paths) // 2).tolist()


def _moved(rates: Rates, steps: Callable[[int], list[Place]]) -> set[Place]:
    """The places reached when a rate allows only these steps: right, or one of the usual mistakes."""
    reached = {(0, 0)}
    for rate in rates:
        reached = {(row + down, column + right) for row, column in reached for down, right in steps(rate)}
    return reached


def _wrong_places(got: set[Place], rates: Rates) -> str:
    def nine(rate: int) -> list[Place]:
        return list(itertools.product((-rate, 0, rate), repeat=2))

    last = set(nine(rates[-1]))
    apart = set().union(*(nine(rate) for rate in rates))
    mistakes = [
        (
            _moved(rates, lambda r: [(-r, -r), (0, 0), (r, r)]),
            "You take the same step along both axes: rows and columns are independent, so a filter has nine steps.",
        ),
        (
            _moved(rates, lambda r: [(-r, 0), (0, -r), (0, 0), (0, r), (r, 0)]),
            "The four corners of each filter are missing: it has nine taps, not five.",
        ),
        (
            _moved(rates, lambda r: [step for step in nine(r) if step != (0, 0)]),
            "The middle tap is missing: a filter also reads the place that it stands on.",
        ),
        (
            _moved(rates, lambda r: list(itertools.product((0, r), repeat=2))),
            "Steps go both ways, -rate too.",
        ),
        (apart, "You collect each filter's own steps. The layers follow one another: their steps add up."),
        (last, "Only the last rate is left: start each round from what was reached before."),
    ]
    return next((message for places, message in mistakes if got == places), "")


@exercise("05/offsets", title="Every place that a stack reads", difficulty=2, minutes=5)
def offsets(attempt: Callable[[Rates], set[Place]]) -> str:
    for rates in ((2,), (1, 2), (2, 2, 2), (1, 2, 4)):
        call = written("offsets", (rates,))
        got = attempt(rates)
        unfinished(got, call)
        got = set(got)
        require(
            all(isinstance(place, tuple) and len(place) == 2 for place in got),
            f"{call} holds something that is no pair: a place is (rows, columns), and you seem to follow one axis.",
        )
        want = set(itertools.product(_along(rates), repeat=2))
        if got != want:
            counts = f"{call} gives {len(got)} places, but there are {len(want)}."
            if len(got) == len(want):
                counts = f"{call} gives as many places as there are, {len(want)}, but not the right ones."
            raise Wrong(f"{counts} {_wrong_places(got, rates)}".rstrip())
    return "27 weights for 225 places with (1, 2, 4), and for 49 with (2, 2, 2)."


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
        equal(got, tuple(base * unit for unit in multi_grid), call, hints)
        require(
            not any(isinstance(rate, float) for rate in got),
            f"{call} gives {got}: a rate is a whole number, divide with `//`.",
        )
    return "The paper's example, block4 at output stride 16: 2 · (1, 2, 4) = (2, 4, 8)."


@exercise("05/two-kinds", title="Two kinds of holes", difficulty=3, minutes=6)
def two_kinds(attempt: Callable[[Rates, int], tuple[int, int]]) -> str:
    cases = [((1, 2, 4), 1), ((1, 2, 4), 2), ((2, 2, 2), 1), ((2, 2, 2), 2), ((1, 4, 4), 4), ((2, 3, 4), 2)]
    for multi_grid, base in cases:
        call = written("two_kinds", (multi_grid, base))
        got = attempt(multi_grid, base)
        unfinished(got, call)
        require(
            isinstance(got, tuple | list) and len(got) == 2,
            f"{call} gives {got!r}, but it should be two numbers: holes in the grid, and samples between it.",
        )
        grid = 1 + 2 * sum(multi_grid)
        field = 1 + 2 * base * sum(multi_grid)
        holes, between = grid - len(_along(multi_grid)), field - grid
        hints = {
            (between, holes): "Those are the right numbers the other way round.",
            (holes + between, between): "The first counts every unread sample. Take only those on the grid.",
            (holes, between + holes): "The second counts every unread sample. Leave out those on the grid.",
            (
                holes,
                (base - 1) * grid,
            ): f"A grid of {grid} samples has {grid - 1} gaps between them, not {grid}.",
            (grid - 9, between): "Three layers of three taps do not always lead to nine places: several "
            "paths may lead to one. Collect the places in a set.",
        }
        equal(tuple(got), (holes, between), call, hints)
    return "The first number is the unit rates' doing, the second belongs to the base rate."


def _fills(rates: Rates, window: int, *, sort: bool = True, touch: bool = True, grow: int = 2) -> bool:
    """The rule; the options bring in the usual mistakes."""
    for rate in sorted(rates) if sort else rates:
        if rate > window or (not touch and rate == window):
            return False
        window += grow * rate
    return True


@exercise("05/fills", title="No holes, seen from below", difficulty=2, minutes=4)
def fills(attempt: Callable[[Rates, int], bool]) -> str:
    triples = list(itertools.combinations_with_replacement((1, 2, 3, 4, 8, 12, 16), 3))
    cases = [*triples, (4, 2, 1), (8, 4, 2), (4, 4, 1), (4,), (3, 3)]
    for rates, window in itertools.product(cases, (1, 3, 5, 13)):
        call = written("fills", (rates, window))
        got = attempt(rates, window)
        unfinished(got, call)
        layers = [Layer(window), *(Layer(3, rate=rate) for rate in rates)]
        want = receptive_field.count_holes(layers) == 0
        if bool(got) != want:
            raise Wrong(
                f"{call} gives {bool(got)}, but it should be {want}. {_wrong_rule(attempt, cases)}".rstrip()
            )
    return "With a window of 1 it is lesson 02's rule."


def _wrong_rule(attempt: Callable[[Rates, int], bool], cases: list[Rates]) -> str:
    mistakes = {
        "Go through the rates from the smallest to the largest: their order in the block does not matter.": dict(
            sort=False
        ),
        "A rate equal to the window leaves no hole: the copies touch.": dict(touch=False),
        "The window grows on both sides, by twice the rate.": dict(grow=1),
        "The window grows with each layer: the next rate is compared with the new one.": dict(grow=0),
    }
    asked = list(itertools.product(cases, (1, 3, 5, 13)))
    for message, options in mistakes.items():
        if all(bool(attempt(rates, window)) == _fills(rates, window, **options) for rates, window in asked):
            return message
    if all(bool(attempt(rates, window)) == _fills(rates, 1) for rates, window in asked):
        return "You start at a window of 1: start at `window`, which the layers below have filled."
    return ""


@exercise("05/expected-accuracy", title="The score, before any training", difficulty=1, minutes=3)
def expected_accuracy(attempt: Callable[..., float]) -> str:
    asked = [place for place in itertools.product(range(-6, 7), repeat=2) if place != (0, 0)]
    for rates, colours in (((1, 2, 4), 4), ((1, 1, 1), 4), ((2, 2, 2), 4), ((1, 2, 1), 5), ((1,), 2)):
        read = set(itertools.product(_along(rates), repeat=2))
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
