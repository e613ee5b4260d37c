"""Checks of lesson 04, the cascade."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from dlv3.course.exercises import Wrong, equal, exercise, require, unfinished, written

Plan = list[tuple[int, int]]


@exercise("04/copied-weights", title="The weights of a copy", difficulty=1, minutes=4)
def copied_weights(attempt: Callable[[int, int, int], int]) -> str:
    for channels, width, units in ((8, 2, 1), (2048, 512, 3), (1024, 256, 6)):
        wide, look = channels * width, 9 * width**2
        hints = {
            2 * wide + look: "That is one unit of the block. How many has it?",
            units * (wide + look): "One 1×1 is missing: each unit squeezes the channels and widens them again.",
            units * 3 * look: "The outer two convolutions are 1×1, and they lead from `channels` to `width` "
            "and back.",
            units * (2 * wide + width**2): "The one in the middle is 3×3: nine weights for each pair of channels.",
            units * (2 * wide + 3 * width**2): "A 3×3 has 9 weights for each pair of channels, not 3.",
            units * (2 * wide + look) + channels**2: "A copy needs no projection: its input has as many channels "
            "as its output.",
            units * (2 * wide + 9 * wide): "The 3×3 works on `width` channels, and puts out as many.",
        }  # fmt: skip
        call = written("copied_weights", (channels, width, units))
        equal(attempt(channels, width, units), units * (2 * wide + look), call, hints)
    return "Of the 4.5 million weights of a unit of block5, nearly half are in the two 1×1 convolutions."


def _block() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU())


@exercise("04/make-cascade", title="Copy a block", difficulty=2, minutes=5)
def make_cascade(attempt: Callable[[nn.Module, int], nn.Sequential]) -> str:
    for copies in (3, 1, 0):
        block4 = _block()
        before = copy.deepcopy(block4.state_dict())
        call = f"`make_cascade(block4, {copies})`"
        got = attempt(block4, copies)
        unfinished(got, call)
        require(
            isinstance(got, nn.Sequential),
            f"{call} gives a {type(got).__name__}. An `nn.Sequential` runs its blocks one after the other.",
        )
        require(
            len(got) == copies + 1 and not (copies == 2 and got is block4),
            f"{call} has {len(got)} blocks, but it should have {copies + 1}: block4, and {copies} behind it.",
        )
        require(
            got[0] is block4, f"{call}: the first block should be block4 itself. The cascade stands on it."
        )
        for number, block in enumerate(got[1:], start=5):
            _is_own_copy(block, got[: number - 4], number, before)
        after = block4.state_dict()
        require(
            all(torch.equal(after[name], before[name]) for name in before), f"{call} changes block4 itself."
        )
    return "Equal at the start, and free to differ from the first training step on."


def _is_own_copy(
    block: nn.Module, ahead: nn.Sequential, number: int, weights: dict[str, torch.Tensor]
) -> None:
    require(
        all(block is not other for other in ahead),
        f"block{number} is the same module as one in front of it: one block, run again. It could not have a rate "
        "of its own either.",
    )
    own = {parameter.data_ptr() for parameter in block.parameters()}
    shared = own & {parameter.data_ptr() for other in ahead for parameter in other.parameters()}
    require(
        not shared,
        f"block{number} is another module, but its weights are the same tensors as in a block in front of it: "
        "training one trains both. `copy.deepcopy` copies the tensors too.",
    )
    found = block.state_dict()
    require(
        found.keys() == weights.keys(), f"block{number} has other layers than block4. Copy block4 as it is."
    )
    require(
        all(torch.equal(found[name], weights[name]) for name in weights),
        f"block{number} starts with other weights than block4: a copy starts with the same.",
    )


def plan_of(
    blocks: int,
    output_stride: int,
    *,
    start: int = 4,
    own: bool = False,
    late: bool = False,
    most: int = 10**6,
) -> Plan:
    """The right strides and rates; the options bring in the usual mistakes."""
    reached, rate, plan = start, 1, []
    for _ in range(blocks):
        if (reached if late else reached * 2) <= output_stride:
            plan.append((2, rate))
            reached *= 2
        else:
            doubled = min(rate * 2, most)
            plan.append((1, doubled if own else rate))
            rate = doubled
    return plan


_MISTAKES = {
    "One stride too many: compare with `output_stride` what the stride would lead to, not what is reached "
    "before it.": dict(late=True),
    "You begin at stride 1, but conv1 and pool1 come before block1 and have reached 4.": dict(start=1),
    "You begin at stride 2, but conv1 and pool1 both halve: block1 begins at 4.": dict(start=2),
    "You begin at stride 8, but the stride is 4 when block1 begins.": dict(start=8),
    "The block that loses its stride doubles its own rate. But the stride stood at its *end*: its units still "
    "read the map from before. Double for the blocks behind.": dict(own=True),
    "Rates multiply: with each further stride lost, double again.": dict(most=2),
}


@exercise("04/cascade-plan", title="The cascade's strides and rates", difficulty=3, minutes=8)
def cascade_plan(attempt: Callable[[int, int], Plan]) -> str:
    cases = [(4, 16), (4, 32), (7, 256), (7, 16), (7, 8), (5, 64), (5, 32), (6, 4), (4, 4)]
    for blocks, output_stride in cases:
        want = plan_of(blocks, output_stride)
        call = written("cascade_plan", (blocks, output_stride))
        got = attempt(blocks, output_stride)
        unfinished(got, call)
        try:
            plan = [tuple(pair) for pair in got]
        except TypeError:
            raise Wrong(
                f"{call} gives {got!r}: it should be a list of pairs, (stride, rate) for each block."
            ) from None
        require(
            len(plan) == blocks,
            f"{call} has {len(plan)} pairs for {blocks} blocks. Each block needs one, from block1 to the last.",
        )
        if plan != want:
            wrong = (
                hint
                for hint, options in _MISTAKES.items()
                if plan == plan_of(blocks, output_stride, **options)
            )
            swapped = plan == [pair[::-1] for pair in want]
            hint = "The stride comes first in each pair." if swapped else next(wrong, "")
            raise Wrong(f"{call} gives {plan}, but it should be {want}. {hint}".rstrip())
    return "Depth and output stride are two numbers now, and free of each other."


def _met(centre: int, rate: int, last: int) -> int:
    """How many of three taps along an axis lie between 0 and `last`."""
    return sum(0 <= centre + step <= last for step in (-rate, 0, rate))


@exercise("04/taps-on-map", title="Taps on the map", difficulty=2, minutes=4)
def taps_on_map(attempt: Callable[[int, int, int, int], int]) -> str:
    cases = (
        (16, 16, 16, 33),
        (0, 0, 16, 33),
        (0, 16, 16, 33),
        (17, 3, 16, 33),
        (5, 30, 4, 33),
        (2, 3, 40, 33),
    )
    for row, column, rate, side in cases:
        rows, columns = _met(row, rate, side - 1), _met(column, rate, side - 1)
        want = rows * columns
        hints = {
            _met(row, rate, side) * _met(column, rate, side): f"Rows and columns run from 0 to {side - 1}: "
            f"{side} is padding.",
            rows + columns: "Each of the rows meets each of the columns: multiply.",
            rows: "That is one axis. Each of these rows has its taps along the columns.",
            9: "A filter near the border has taps on the padding.",
        }  # fmt: skip
        hints.pop(want, None)
        call = written("taps_on_map", (row, column, rate, side))
        equal(attempt(row, column, rate, side), want, call, hints)
    return "The other taps multiply zeros: their weights are there, and do nothing at this place."


def reachable(rates: tuple[int, ...]) -> set[int]:
    """All places that a stack of 3-tap layers with these rates reads, as distances along an axis."""
    places = {0}
    for rate in rates:
        places = {place + step for place in places for step in (-rate, 0, rate)}
    return places


@exercise("04/reaches", title="What a stack reaches", difficulty=2, minutes=5)
def reaches(attempt: Callable[[tuple[int, ...], int], bool]) -> str:
    cases = [
        ((1, 1, 1, 1), 12), ((1, 2, 4, 8), 12), ((8, 8, 8, 8), 12), ((4, 4, 4, 4), 12), ((1, 2, 4, 8), 15),
        ((1, 2, 4, 8), 16), ((1, 2, 4, 8), 0), ((3, 5), 2), ((1, 8), 6), ((2, 4), 5), ((1, 2, 4, 8), -7), ((3,), 4),
    ]  # fmt: skip
    for rates, distance in cases:
        call = written("reaches", (rates, distance))
        got = attempt(rates, distance)
        unfinished(got, call)
        want = distance in reachable(rates)
        if bool(got) == want and not isinstance(got, set | list | tuple):
            continue
        require(
            not isinstance(got, set | list | tuple),
            f"{call} gives all the places. Ask whether `distance` is `in` them.",
        )
        raise Wrong(f"{call} gives {bool(got)}, but it should be {want}. {_why(rates, distance, want)}")
    return "The sum of the rates bounds the reach. What lies before it may be skipped."


def _why(rates: tuple[int, ...], distance: int, want: bool) -> str:
    if not want and abs(distance) <= sum(rates):
        return f"It lies within the field, but no sum of steps makes {distance}: the steps are whole rates."
    if want and distance == 0:
        return "A layer may also stay where it is: the middle tap."
    if want and distance < 0:
        return "Taps lie on both sides."
    if want and rates == (3, 5):
        return "One layer can go back: 5 − 3."
    if want:
        return "Each layer may step by its rate, or stay: 4 + 8 makes 12."
    return f"All layers together get {sum(rates)} away at most."
