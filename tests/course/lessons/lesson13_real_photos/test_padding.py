"""Padded crops: what they are filled with, and where a network loses shapes."""

import matplotlib

matplotlib.use("agg")
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from dlv3.course.lessons.lesson13_real_photos import padding
from dlv3.course.lessons.lesson13_real_photos.checks import padded


def photo(height: int = 193, width: int = 193) -> padding.Pair:
    return torch.ones(3, height, width), torch.ones(height, width, dtype=torch.long)


def test_resized_picks_labels_and_averages_colours():
    image = torch.tensor([0.0, 1.0]).repeat(3, 4, 2)
    labels = torch.tensor([0, 255]).repeat(4, 2)
    small, picked = padding.resized(image, labels, (2, 2))
    assert small.shape == (3, 2, 2)
    assert 0 < small.min() < small.max() < 1
    assert set(picked.unique().tolist()) <= {0, 255}


@pytest.mark.parametrize("label", [0, 255])
def test_batches_are_filled_with_the_mean_colour_and_the_label(label):
    ((images, labels),) = padding.batches([photo()], padded, label, 1)
    assert images.shape == (8, 3, 129, 129)
    assert labels.shape == (8, 129, 129)
    outside = labels == label
    assert 0.1 < outside.float().mean() < 0.9
    assert (images.movedim(1, -1)[outside] == 0).all()
    # Resampling a photo of ones gives ones, up to rounding.
    assert (images.movedim(1, -1)[~outside] - 1).abs().max() < 1e-6


class BlindAtTheBorder(nn.Module):
    """Sees a shape wherever it is six pixels or more away from the border."""

    def forward(self, images):
        seen = torch.zeros_like(images[:, :1])
        seen[:, :, 6:-6, 6:-6] = 1
        return torch.cat([1 - seen, seen], 1)


def test_losses_are_by_distance_from_the_border():
    assert padding.lost(BlindAtTheBorder(), [photo()]) == [100, 0, 0, 0, 0]


def test_figure_has_a_pair_of_bars_for_each_band():
    figure = padding.lost_figure({"one": [1.0] * 5, "other": [2.0] * 5})
    assert [bar.get_height() for bar in figure.axes[0].patches] == [1.0] * 5 + [2.0] * 5
    plt.close(figure)
