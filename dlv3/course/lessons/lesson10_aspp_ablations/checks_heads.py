"""Checks of lesson 10, ASPP ablations: heads of equal size, and the share of a gain that a cue explains."""

from collections.abc import Callable, Iterable, Mapping

from dlv3.course.kit.answers import as_rates, hint_for, number, sequence
from dlv3.course.kit.exercises import Wrong, close, exercise, require, written

Ious = Mapping[str, float]
_BEFORE = {"background": 90.0, "sun": 40.0, "coin": 0.0, "square": 70.0, "ring": 50.0}
_RECIPE = "Add up the gains of the cue's classes, add up all gains, and divide."
_AFTER = {"background": 90.5, "sun": 75.0, "coin": 77.0, "square": 69.0, "ring": 48.5}


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


def explained(before: Ious, after: Ious, cue: set[str]) -> float:
    """Return the share of the gain that the classes in `cue` make up."""
    gains = {name: after[name] - before[name] for name in before}
    return sum(gains[name] for name in cue) / sum(gains.values())


@exercise("10/cue-share", title="What the cue explains", difficulty=2, minutes=6, gives=float)
def cue_share(attempt: Callable[[Ious, Ious, set[str]], float]) -> str:
    cases = (
        (_BEFORE, _AFTER, {"sun", "coin"}),
        (_BEFORE, _BEFORE | {"sun": 50.0, "coin": 20.0, "ring": 60.0}, {"sun", "coin"}),
        (_BEFORE, _BEFORE | {"sun": 50.0, "square": 75.0}, {"sun"}),
    )
    for before, after, cue in cases:
        gained = {name: round(after[name] - before[name], 1) for name in before}
        call = f"`cue_share(before, after, {_listed(cue)})`, where the classes gain {gained},"
        got = number(attempt(dict(before), dict(after), set(cue)), call)
        want = explained(before, after, cue)
        close(got, want, call, tolerance=1e-6, hint=hint_for(got, _cue_slips(before, after, cue)) or _RECIPE)
    return "It is over 1 where the other classes have lost: they have paid for part of what the cue gave."


def _listed(cue: set[str]) -> str:
    """Write a set of names in a fixed order."""
    return "{" + ", ".join(repr(name) for name in sorted(cue, reverse=True)) + "}"


def _cue_slips(before: Ious, after: Ious, cue: set[str]) -> list[tuple[float, str]]:
    gains = {name: after[name] - before[name] for name in before}
    total, ours, n = sum(gains.values()), sum(gains[name] for name in cue), len(gains)
    without_losers = sum(gain for gain in gains.values() if gain > 0)
    return [
        (100 * ours / total, "Give it as a share: 1 is all of it."),
        (
            ours / len(cue) / (total / n),
            "The mean of the cue's classes over the mean of all is not a share: each class counts as one of the "
            "classes in the mIOU, so divide sums.",
        ),
        (
            ours / (total / n),
            "The mIOU is a mean: a class's gain counts as one of the classes in it. Divide by the number of classes "
            "above as well as below, or nowhere.",
        ),
        (
            ours,
            "Those are the points that the cue's classes gain together. Divide by what all gain together.",
        ),
        (ours / n, "Those are points of mIOU. The exercise asks for the share of the gain."),
        (1 - ours / total, "That is the share of the others."),
        (ours / sum(abs(gain) for gain in gains.values()), "Losses count with their sign."),
        (ours / without_losers, "You leave out the classes that lose."),
        (sum(after[name] for name in cue) / sum(after.values()), "Take the gains, after − before."),
    ]
