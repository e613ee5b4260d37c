"""Trainings in which one setting is broken, to be named from the curves on the board.

secret = one_broken()
watch(*secret.applied(fresh_model(), stream, schedule))
secret.name                                              # only when you have written down your guess
"""

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from torch import Tensor, nn

Stream = Iterable[tuple[Tensor, Tensor]]
Schedule = Callable[[int], float]
Training = tuple[nn.Module, Stream, Schedule]
TOP = 20
"""The update at which the lesson's warm-up is over."""


@dataclass(frozen=True)
class Broken:
    """A setting that is broken; its name does not show when it is printed."""

    name: str = field(repr=False)
    change: Callable[[nn.Module, Stream, Schedule], Training] = field(repr=False)

    def applied(self, model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
        """Return model, batches and schedule with the setting broken."""
        return self.change(model, stream, schedule)


def _slow(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    return model, stream, lambda i: schedule(i) / 100


def _never_falling(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    return model, stream, lambda i: schedule(min(i, TOP))


def _old_statistics(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0003
    return model, stream, schedule


def _other_labels(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    return model, ((images, labels.roll(1, 0)) for images, labels in stream), schedule


def _one_batch(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    def again(batches: Iterator[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        first = next(batches)
        yield from (first for _ in itertools.chain([first], batches))

    return model, again(iter(stream)), schedule


def _half_mirrored(model: nn.Module, stream: Stream, schedule: Schedule) -> Training:
    return model, ((images.flip(3), labels) for images, labels in stream), schedule


SETTINGS = (
    Broken("the learning rate is a hundred times too low", _slow),
    Broken("the learning rate never falls", _never_falling),
    Broken("batch normalization has a momentum of 0.0003", _old_statistics),
    Broken("the labels are those of other pictures", _other_labels),
    Broken("every update sees the same batch", _one_batch),
    Broken("pictures are mirrored, and their labels are not", _half_mirrored),
)


def one_broken(seed: int | None = None) -> Broken:
    """Return one of the broken settings, by chance; a seed gives the same one each time."""
    return random.Random(seed).choice(SETTINGS)
