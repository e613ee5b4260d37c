"""Checks of lesson 10, ASPP ablations: heads of equal size."""

from collections.abc import Callable, Iterable

from dlv3.course.kit.answers import as_rates, sequence
from dlv3.course.kit.exercises import Wrong, exercise, require, written


def shared_widths(channels: int, branches: int) -> list[int]:
    """Return the branches' widths: together `channels`, and no two differ by more than one."""
    return [channels * (i + 1) // branches - channels * i // branches for i in range(branches)]


def _as_widths(got: Iterable[int]) -> list[int]:
    return list(as_rates(got))


@exercise("10/equal-widths", title="Heads of equal size", difficulty=1, minutes=5, gives=_as_widths)
def equal_widths(attempt: Callable[[int, int], list[int]]) -> str:
    for channels, branches in ((64, 1), (64, 4), (64, 3), (64, 6), (256, 5), (10, 4)):
        call = written("equal_widths", (channels, branches))
        widths = list(sequence(attempt(channels, branches), call, "a list, one width a branch"))
        require(
            len(widths) == branches, f"{call} gives {len(widths)} widths, but there are {branches} branches."
        )
        require(
            all(isinstance(width, int) and width > 0 for width in widths),
            f"{call} gives {widths}: a number of channels is a whole number above 0.",
        )
        if sum(widths) != channels:
            raise Wrong(
                f"{call} gives {widths}, together {sum(widths)} channels instead of {channels}. "
                f"{_why(widths, channels, branches)}"
            )
        require(
            max(widths) - min(widths) <= 1,
            f"{call} gives {widths}. The widths of two branches may differ by one channel, not more.",
        )
    return (
        "The number of 3×3 filters is the same, and so is that of weights. What differs is where they look."
    )


def _why(widths: list[int], channels: int, branches: int) -> str:
    if widths == [channels] * branches:
        return (
            "That head is wider as well: you could not tell the effect of the rates from that of the width."
        )
    if widths == [channels // branches] * branches:
        return "Division leaves a remainder: give it to the branches, one channel each."
    return "No channel may be lost or added."
