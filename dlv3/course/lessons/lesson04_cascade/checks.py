"""Checks of lesson 04, the cascade: the weights of its copies, the copies, their rates."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from dlv3.course.kit.answers import as_rates, sequence, whole_rates
from dlv3.course.kit.exercises import equal, exercise, plain, require, unfinished, written
from dlv3.resnet import CASCADE_START, base_rate, max_output_stride


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


def replica_of(block4: nn.Sequential) -> nn.Sequential:
    """Return block5 as a copy of block4, its first unit a copy of block4's second."""
    return nn.Sequential(*(copy.deepcopy(unit) for unit in (block4[1], *block4[1:])))


@exercise("04/replica", title="block5 from block4", difficulty=2, minutes=5)
def replica(attempt: Callable[[nn.Sequential], nn.Sequential]) -> str:
    for units in (3, 2, 6):
        torch.manual_seed(0)
        # Only the first unit has another number of inputs.
        block4 = nn.Sequential(nn.Conv2d(2, 4, 1), *(nn.Conv2d(4, 4, 1) for _ in range(units - 1)))
        before = copy.deepcopy(block4.state_dict())
        call = f"For a block of {units} units `replica(block4)`"
        got = attempt(block4)
        unfinished(got, "`replica(block4)`")
        require(
            isinstance(got, nn.Sequential),
            f"{call} gives a {type(got).__name__}. An `nn.Sequential` runs its units one after the other.",
        )
        require(len(got) == units, f"{call} has {len(got)} units. A copy has as many as block4.")
        own = {parameter.data_ptr() for parameter in block4.parameters()}
        for number, unit in enumerate(got):
            source = max(1, number)
            _is_copy_of(unit, block4, source, f"{call}: unit {number + 1}")
            pointers = {parameter.data_ptr() for parameter in unit.parameters()}
            require(
                not own & pointers,
                f"{call}: unit {number + 1} has the same tensors as a unit before it: training one trains both. "
                "Copy each unit with `copy.deepcopy`.",
            )
            own |= pointers
        after = block4.state_dict()
        same = after.keys() == before.keys() and all(
            torch.equal(after[name], before[name]) for name in before
        )
        require(same, f"{call} changes block4 itself.")
    return "As the library does: block4's second unit twice, then the rest."


def _is_copy_of(unit: nn.Module, block4: nn.Sequential, source: int, whose: str) -> None:
    def is_copy(other: nn.Module) -> bool:
        mine, theirs = unit.state_dict(), other.state_dict()
        return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)

    found = next((number for number, other in enumerate(block4) if is_copy(other)), None)
    hint = "It has other weights than any unit of block4."
    if found == 0:
        hint = "It is a copy of block4's first unit, which takes block3's channels, not block4's."
    elif found is not None:
        hint = f"It is a copy of block4's unit {found + 1}."
    require(found == source, f"{whose} should be a copy of block4's unit {source + 1}. {hint}")


def rates_of(blocks: int, output_stride: int) -> tuple[int, ...]:
    """Return the base rates of block4 and the copies after it."""
    return tuple(base_rate(block, output_stride) for block in range(CASCADE_START, blocks + 1))


def _doubled(blocks: int, output_stride: int) -> tuple[int, ...]:
    """Return rates that double from block to block even where the copies still stride."""
    first = base_rate(CASCADE_START, output_stride)
    return tuple(first * 2**copy for copy in range(blocks - CASCADE_START + 1))


@exercise("04/cascade-rates", title="The rates of the copies", difficulty=2, minutes=5, gives=as_rates)
def cascade_rates(attempt: Callable[[int, int], tuple[int, ...]]) -> str:
    for blocks, output_stride in ((7, 16), (7, 8), (5, 32), (7, 128), (6, 64), (7, 256), (4, 16), (6, 4)):
        want = rates_of(blocks, output_stride)
        call = written("cascade_rates", (blocks, output_stride))
        got = sequence(
            attempt(blocks, output_stride), call, "a list of rates, one for each block from block4 on"
        )
        ratios = [max_output_stride(block) // output_stride for block in range(1, blocks + 1)]
        every = tuple(max(1, ratio) for ratio in ratios)
        hints = {
            tuple(ratios[3:]): "A rate is at least 1: a block that keeps its strides has rate 1.",
            _doubled(
                blocks, output_stride
            ): f"Up to output stride {output_stride} the blocks stride, and nothing has "
            "to double. Ask for each block whether its nominal stride is beyond the output stride.",
            every: "Those are all blocks. Begin with block4.",
            every[4:]: "block4 is missing: it comes first.",
            (want[0],)
            * len(
                want
            ): "The copies have block4's weights, not its rate: each has a nominal stride of its own.",
            (*every[3:], 2 * want[-1]): f"There is one block too many: the last one is block{blocks}.",
            want[:-1]: f"block{blocks} is missing: `range` stops before its end.",
            tuple(
                max(1, ratio // 2) for ratio in ratios[3:]
            ): "That is half of it: block4's nominal stride is 32, as block1 has 4.",
            tuple(
                max(1, 2 * max_output_stride(block) // output_stride) for block in range(4, blocks + 1)
            ): "That is twice too much: block4's nominal stride is 32, as block1 has 4.",
        }
        hints.pop(want, None)
        equal(got, want, call, hints)
        whole_rates(got, call)
    return "Depth and output stride are two numbers now, independent of each other."
