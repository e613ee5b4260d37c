"""Order and augmentation follow from the seed and the position alone."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from dlv3.training.sampling import PositionBatches, TrainingSamples, derive_seed, index_at, seeded


class Numbers:
    """A data set whose pictures are their indices."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full((3, 1, 1), float(index)), torch.full((1, 1), index)


def add_noise(image: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return image + torch.rand(()), mask


@given(seed=st.integers(0, 2**31), length=st.integers(1, 50), epoch=st.integers(0, 5))
def test_every_epoch_shows_every_picture_once(seed: int, length: int, epoch: int):
    shown = [index_at(seed, epoch * length + i, length) for i in range(length)]
    assert sorted(shown) == list(range(length))


def test_epochs_and_seeds_differ_in_order():
    def order(seed: int, epoch: int) -> list[int]:
        return [index_at(seed, epoch * 30 + i, 30) for i in range(30)]

    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)
    assert order(0, 1) == order(0, 1)


def test_streams_and_positions_have_seeds_of_their_own():
    seeds = {derive_seed(*key) for key in itertools.product(range(5), range(3), range(20))}
    assert len(seeds) == 5 * 3 * 20


@given(
    share=st.integers(1, 4),
    accumulate=st.integers(1, 3),
    processes=st.integers(1, 4),
    first=st.integers(0, 3),
)
def test_the_shares_of_all_processes_are_the_batch_of_one(
    share: int, accumulate: int, processes: int, first: int
):
    size, last = share * accumulate * processes, 5
    batches = [
        list(PositionBatches(size, first, last, accumulate=accumulate, rank=rank, processes=processes))
        for rank in range(processes)
    ]
    for number, iteration in enumerate(range(first, last)):
        parts = range(number * accumulate, (number + 1) * accumulate)
        row = [position for part in parts for of_rank in batches for position in of_rank[part]]
        assert row == list(range(iteration * size, (iteration + 1) * size))


def test_every_batch_is_whole_where_the_data_set_is_smaller_than_one():
    samples = TrainingSamples(Numbers(3), add_noise, seed=0)
    batches = list(DataLoader(samples, batch_sampler=PositionBatches(8, 0, 4)))
    assert [len(images) for images, _ in batches] == [8] * 4


def test_starting_later_continues_the_same_row():
    assert list(PositionBatches(4, 0, 6))[2:] == list(PositionBatches(4, 2, 6))


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_nothing(workers: int):
    samples = TrainingSamples(Numbers(5), add_noise, seed=3)
    alone = DataLoader(samples, batch_sampler=PositionBatches(4, 0, 5))
    shared = DataLoader(samples, batch_sampler=PositionBatches(4, 0, 5), num_workers=workers)
    for (images, labels), (other_images, other_labels) in zip(alone, shared, strict=True):
        assert torch.equal(images, other_images)
        assert torch.equal(labels, other_labels)


def test_a_picture_is_augmented_anew_each_time_it_comes():
    samples = TrainingSamples(Numbers(1), add_noise, seed=0)
    seen = [samples[position][0].flatten()[0].item() for position in range(20)]
    assert len(set(seen)) == 20


def test_sampling_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    _ = TrainingSamples(Numbers(4), add_noise, seed=0)[2]
    assert torch.equal(torch.rand(3), expected)


def test_generator_is_put_back_after_an_error():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="shape"), seeded(1):
        torch.rand(3).view(2, 2)  # draws, then fails
    assert torch.equal(torch.get_rng_state(), before)
