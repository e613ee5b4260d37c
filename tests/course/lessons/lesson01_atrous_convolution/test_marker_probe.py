"""The marker probe's pictures and labels fit each other; its training is reproducible and scores what is labelled."""

import pytest
import torch
from torch import nn

from dlv3.course.lessons.lesson01_atrous_convolution.marker_probe import UNLABELLED, MarkerProbe


@pytest.fixture(scope="module")
def probe():
    return MarkerProbe(distance=48, pictures=6, unseen=2)


def network(rate: int) -> nn.Module:
    return nn.Conv2d(3, 4, 3, stride=4, padding=rate, dilation=rate)


class Oracle(nn.Module):
    """Give the right label everywhere, or the next one."""

    def __init__(self, labels: torch.Tensor, off: int) -> None:
        super().__init__()
        self.labels, self.off = labels, off

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        known = torch.where(self.labels == UNLABELLED, 0, (self.labels + self.off) % 4)
        return nn.functional.one_hot(known, 4).permute(0, 3, 1, 2).float()


def test_pictures_and_labels_have_their_sizes(probe):
    assert probe.images.shape == (6, 3, 129, 129)
    assert probe.labels.shape == (6, 33, 33)
    assert set(probe.labels.unique().tolist()) <= {0, 1, 2, 3, UNLABELLED}


@pytest.mark.parametrize(("off", "score"), [(0, 100), (1, 0)])
def test_score_is_the_share_of_labelled_pixels_that_are_right(probe, off, score):
    assert probe.score(Oracle(probe.unseen[1], off)) == score


def test_training_twice_with_one_seed_gives_one_score(probe):
    first, second, other = (probe.train(network, 1, updates=3, batch=2, seed=seed) for seed in (0, 0, 1))
    assert first == second
    assert 0 <= other <= 100
