"""Checks of lesson 04, the cascade: its weights, its copies, its strides and rates."""

import copy
from collections.abc import Callable
from typing import TypedDict

import torch
from torch import nn

from dlv3.course.kit.answers import as_pairs, pairs
from dlv3.course.kit.exercises import Wrong, equal, exercise, plain, require, unfinished, written

Plan = list[tuple[int, int]]


def block_weights(channels: int, width: int, units: int) -> int:
    """Count the weights of all convolutions in a block of bottleneck units without projections."""
    return units * (2 * channels * width + 9 * width**2)


@exercise("04/copied-weights", title="The weights of a copy", difficulty=1, minutes=4, gives=plain)
def copied_weights(attempt: Callable[[int, int, int], int]) -> str:
    for channels, width, units in ((8, 2, 1), (2048, 512, 3), (1024, 256, 6)):
        wide, look = channels * width, 9 * width**2
        hints = {
            2 * wide + look: "That is one unit. How many units does the block have?",
            units * (wide + look): "One 1×1 is missing: each unit squeezes the channels and widens them again.",
            units * 3 * look: "The outer two convolutions are 1×1, from `channels` to `width` and back.",
            units * (2 * wide + width**2): "The one in the middle is 3×3: nine weights for each pair of channels.",
            units * (2 * wide + 3 * width**2): "A 3×3 has 9 weights for each pair of channels, not 3.",
            units * (2 * wide + look) + channels**2: "A copy needs no projection: its input has as many channels "
            "as its output.",
            units * (2 * wide + 9 * wide): "The 3×3 reads `width` channels and has as many outputs.",
        }  # fmt: skip
        call = written("copied_weights", (channels, width, units))
        equal(attempt(channels, width, units), block_weights(channels, width, units), call, hints)
    return "Of the 4.5 million weights of a unit of block5, nearly half are in the two 1×1 convolutions."


def cascade_of(block4: nn.Module, copies: int) -> nn.Sequential:
    """Return a block followed by copies with weights of their own."""
    return nn.Sequential(block4, *(copy.deepcopy(block4) for _ in range(copies)))


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
            len(got) == copies + 1,
            f"{call} has {len(got)} blocks, but it should have {copies + 1}: block4 and {copies} after it.",
        )
        require(
            got[0] is block4, f"{call}: the first block should be block4 itself, which the copies follow."
        )
        for number, block in enumerate(got[1:], start=5):
            _is_own_copy(block, got[: number - 4], number, before)
        after = block4.state_dict()
        require(
            all(torch.equal(after[name], before[name]) for name in before), f"{call} changes block4 itself."
        )
    return "They are equal at the start, and free to differ from the first training step."


def _is_own_copy(
    block: nn.Module, ahead: nn.Sequential, number: int, weights: dict[str, torch.Tensor]
) -> None:
    require(
        all(block is not other for other in ahead),
        f"block{number} is the same module as one before it: one block that runs again. It could not have a rate "
        "of its own either.",
    )
    own = {parameter.data_ptr() for parameter in block.parameters()}
    shared = own & {parameter.data_ptr() for other in ahead for parameter in other.parameters()}
    require(
        not shared,
        f"block{number} is another module, but its weights are the same tensors as in a block before it: "
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
    """Return the stride and rate of each block; the options bring in the usual mistakes."""
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


class _Slip(TypedDict, total=False):
    """An option of `plan_of`."""

    start: int
    own: bool
    late: bool
    most: int


_MISTAKES: dict[str, _Slip] = {
    "There is one stride too many: compare `output_stride` with what the stride would lead to, not with what is "
    "reached before it.": {"late": True},
    "You begin at stride 1, but conv1 and pool1 come before block1 and have reached 4.": {"start": 1},
    "You begin at stride 2, but conv1 and pool1 both halve: block1 begins at 4.": {"start": 2},
    "You begin at stride 8, but the stride is 4 when block1 begins.": {"start": 8},
    "The block that loses its stride doubles its own rate. But the stride was at its *end*: its units still read "
    "the map from before. Double the rate for the blocks after it.": {"own": True},
    "Rates multiply: with each further stride lost, double again.": {"most": 2},
}


@exercise("04/cascade-plan", title="The cascade's strides and rates", difficulty=3, minutes=8, gives=as_pairs)
def cascade_plan(attempt: Callable[[int, int], Plan]) -> str:
    cases = [(4, 16), (4, 32), (7, 256), (7, 16), (7, 8), (5, 64), (5, 32), (6, 4), (4, 4)]
    for blocks, output_stride in cases:
        want = plan_of(blocks, output_stride)
        call = written("cascade_plan", (blocks, output_stride))
        wanted = "a list of pairs, (stride, rate) for each block"
        plan = pairs(attempt(blocks, output_stride), call, wanted)
        require(
            len(plan) == blocks,
            f"{call} has {len(plan)} pairs for {blocks} blocks. Each block needs one, from block1 to the last.",
        )
        if plan != want:
            hint = _plan_mistake(plan, blocks, output_stride)
            raise Wrong(f"{call} gives {plan}, but it should be {want}. {hint}".rstrip())
    return "Depth and output stride are two numbers now, independent of each other."


def _plan_mistake(plan: Plan, blocks: int, output_stride: int) -> str:
    if plan == [(rate, stride) for stride, rate in plan_of(blocks, output_stride)]:
        return "The stride comes first in each pair."
    made = (hint for hint, options in _MISTAKES.items() if plan == plan_of(blocks, output_stride, **options))
    return next(made, "")
