"""A training's batches: their shapes, and an order that follows from the seed and the position alone."""

import torch
from training_runs import short_run

from dlv3.data import Scenes
from dlv3.training.batches import Batch, training_batches
from dlv3.training.distributed import Processes

CPU = torch.device("cpu")


def batches_of(first: int = 0, processes: Processes | None = None, **options: object) -> list[Batch]:
    training = short_run(iterations=3, **options).training
    return list(training_batches(Scenes("train", pictures=6), training, processes or Processes(CPU), first))


def assert_equal(batches: list[Batch], expected: list[Batch]) -> None:
    assert len(batches) == len(expected)
    for (images, labels), (other_images, other_labels) in zip(batches, expected, strict=True):
        assert torch.equal(images, other_images)
        assert torch.equal(labels, other_labels)


def test_batches_are_normalised_crops_and_their_labels():
    batches = batches_of(batch_size=4, crop_size=33)
    assert len(batches) == 3
    for images, labels in batches:
        assert (images.shape, images.dtype) == ((4, 3, 33, 33), torch.float32)
        assert (labels.shape, labels.dtype) == ((4, 33, 33), torch.int64)


def test_starting_later_gives_the_same_batches():
    assert_equal(batches_of(first=1), batches_of()[1:])


def test_parts_are_the_batch_in_order():
    whole, parts = batches_of(batch_size=4), batches_of(batch_size=4, accumulate=2)
    joined = [
        (torch.cat([a[0], b[0]]), torch.cat([a[1], b[1]])) for a, b in zip(*[iter(parts)] * 2, strict=True)
    ]
    assert_equal(joined, whole)


def test_shares_of_two_processes_are_the_batch_of_one():
    first, second = (batches_of(batch_size=4, processes=Processes(CPU, rank, 2)) for rank in range(2))
    joined = [(torch.cat([a[0], b[0]]), torch.cat([a[1], b[1]])) for a, b in zip(first, second, strict=True)]
    assert_equal(joined, batches_of(batch_size=4))


def test_options_of_augmentation_reach_the_crops():
    plain = batches_of(scale=(1.0, 1.0), flip=0.0)
    for options in (dict(flip=1.0), dict(photometric=0.9), dict(scale=(0.5, 0.5))):
        assert not torch.equal(batches_of(**dict(scale=(1.0, 1.0), flip=0.0) | options)[0][0], plain[0][0])


def test_global_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    batches_of()
    assert torch.equal(torch.get_rng_state(), before)
