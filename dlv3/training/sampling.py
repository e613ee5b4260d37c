"""Which picture comes when, and how it is augmented: pure functions of (seed, position).

A training run is one long row of positions 0, 1, 2, …: iteration i reads the positions from i · batch_size to
(i + 1) · batch_size. What lies at a position, its augmentation included, follows from the seed and the position
alone. So neither the number of workers, nor that of processes, nor where a run was stopped and resumed changes what
the network sees, and no batch is ever short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

# Each use of randomness draws from its own stream of the seed.
ORDER, AUGMENTATION, DROPOUT = range(3)


class Transform(Protocol):
    """Augments one sample; draws from torch's global generator."""

    def __call__(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]: ...


def derive_seed(seed: int, stream: int, position: int) -> int:
    """A seed of its own for each (seed, stream, position): well mixed, and the same on every machine."""
    return int(np.random.SeedSequence([seed, stream, position]).generate_state(1, np.uint64)[0])


@lru_cache(maxsize=4)  # the epochs that a batch and the prefetched ones can reach into
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    generator = torch.Generator().manual_seed(derive_seed(seed, ORDER, epoch))
    return torch.randperm(length, generator=generator).numpy()


def index_at(seed: int, position: int, length: int) -> int:
    """The picture at a position of the training: every epoch is a fresh permutation of the data set.

    Args:
        seed: the run's.
        position: 0 or more, counted over the whole training.
        length: pictures in the data set, at least 1.

    Returns:
        An index of the data set, 0 to `length` − 1.
    """
    epoch, place = divmod(position, length)
    return int(_permutation(seed, epoch, length)[place])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run with torch's CPU generator at `seed`, and put it back afterwards.

    Only that generator: `torch.manual_seed` would reach for the GPU's as well.
    """
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


class TrainingSamples(Dataset):
    """The training's row of positions, as a data set: `samples[position]` is an augmented (image, labels).

    Args:
        dataset: of (image, mask); at least one picture.
        transform: augments it, with torch's generator as its only source of randomness.
        seed: the run's.
    """

    def __init__(self, dataset: Dataset, transform: Transform, seed: int) -> None:
        self.dataset, self.transform, self.seed = dataset, transform, seed

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        image, mask = self.dataset[index_at(self.seed, position, len(self.dataset))]
        with seeded(derive_seed(self.seed, AUGMENTATION, position)):
            return self.transform(image, mask)  # (3, crop, crop) float32, (crop, crop) int64


class PositionBatches(Sampler[list[int]]):
    """The positions of each batch that one process reads, in order, from one iteration to the end.

    The global batch of an iteration is cut into `accumulate` parts, each of these into one share a process: the
    first part is the first positions, whatever the number of processes. All shares together are the same global
    batch as a single process reads.

    Args:
        batch_size: pictures in the global batch; a multiple of accumulate · processes.
        first, last: iterations to read, `last` excluded.
        accumulate: parts of the global batch whose gradients are added up.
        rank, processes: this process, and how many there are.
    """

    def __init__(
        self,
        batch_size: int,
        first: int,
        last: int,
        *,
        accumulate: int = 1,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self.batch_size, self.first, self.last = batch_size, first, last
        self.accumulate, self.rank, self.processes = accumulate, rank, processes

    def __len__(self) -> int:
        return max(0, self.last - self.first) * self.accumulate

    def __iter__(self) -> Iterator[list[int]]:
        share = self.batch_size // (self.accumulate * self.processes)
        for iteration in range(self.first, self.last):
            for part in range(self.accumulate):
                start = iteration * self.batch_size + (part * self.processes + self.rank) * share
                yield list(range(start, start + share))
