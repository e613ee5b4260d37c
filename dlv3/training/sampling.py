"""The order of the pictures and their augmentation: pure functions of (seed, position).

A training run is one long sequence of positions 0, 1, 2, …: iteration i reads the positions from i · batch_size to
(i + 1) · batch_size. The sample at a position, its augmentation included, follows from the seed and the position
alone. Therefore the network sees the same samples with any number of workers and processes, and also in a run that
was stopped and resumed; and no batch is ever short.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from dlv3.data import SegmentationDataset

# Each use of randomness draws from its own stream of the seed.
ORDER, AUGMENTATION, DROPOUT = range(3)


class Transform(Protocol):
    """Augment one sample, with random numbers from torch's global generator."""

    def __call__(self, image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]: ...


def derive_seed(seed: int, stream: int, position: int) -> int:
    """Derive a seed of its own for each (seed, stream, position): well mixed, and the same on every machine."""
    return int(np.random.SeedSequence([seed, stream, position]).generate_state(1, np.uint64)[0])


# As many as the epochs that a batch and the prefetched ones can reach into.
@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, length: int) -> NDArray[np.int64]:
    generator = torch.Generator().manual_seed(derive_seed(seed, ORDER, epoch))
    return torch.randperm(length, generator=generator).numpy()


def index_at(seed: int, position: int, length: int) -> int:
    """Return the picture at a position of the training: every epoch is a new permutation of the data set.

    Args:
        seed: the run's seed.
        position: 0 or more, counted over the whole training.
        length: pictures in the data set, at least 1.

    Returns:
        An index of the data set, 0 to `length` − 1.
    """
    epoch, place = divmod(position, length)
    return int(_permutation(seed, epoch, length)[place])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Set torch's CPU generator to `seed` inside the block, and restore it afterwards.

    Only that generator: `torch.manual_seed` would set the GPU's as well.
    """
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


class TrainingSamples(Dataset[tuple[Tensor, Tensor]]):
    """The training's positions as a data set: `samples[position]` is an augmented (image, labels).

    Args:
        dataset: of (image, mask); at least one picture.
        transform: augments a sample, with torch's generator as its only source of randomness.
        seed: the run's seed.
    """

    def __init__(self, dataset: SegmentationDataset, transform: Transform, seed: int) -> None:
        self.dataset, self.transform, self.seed = dataset, transform, seed

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        image, mask = self.dataset[index_at(self.seed, position, len(self.dataset))]
        with seeded(derive_seed(self.seed, AUGMENTATION, position)):
            return self.transform(image, mask)  # (3, crop, crop) float32, (crop, crop) int64


class PositionBatches(Sampler[list[int]]):
    """The positions of each batch that one process reads, in order, from one iteration to the end.

    The global batch of an iteration is cut into `accumulate` parts, and each part into one share for each process:
    the first part has the first positions, for any number of processes. All shares together are the same global
    batch as a single process reads.

    Args:
        batch_size: pictures in the global batch; a multiple of accumulate · processes.
        first, last: iterations to read, `last` excluded.
        accumulate: parts of the global batch whose gradients are added up.
        rank, processes: this process, and the number of processes.
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
