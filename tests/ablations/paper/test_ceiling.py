"""The score that sampling allows."""

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from dlv3.ablations.paper.ceiling import sampled_scores, sampling_ceiling
from dlv3.data import DataConfig, open_dataset
from dlv3.deeplab import upsample


class Halves:
    """Two pictures of two classes, left and right."""

    classes = ("left", "right")
    num_classes = 2
    palette = np.zeros((2, 3), np.uint8)

    def __len__(self):
        return 2

    def __getitem__(self, index):
        labels = torch.zeros(12, 12, dtype=torch.uint8)
        labels[:, 6 + 2 * index :] = 1
        return tv_tensors.Image(torch.zeros(3, 12, 12, dtype=torch.uint8)), tv_tensors.Mask(labels)


def test_every_pixel_sampled_loses_nothing():
    assert sampling_ceiling(Halves(), 1) == 1


def test_labels_on_the_maps_grid_come_back_as_they_were():
    # The first picture's border lies on the grid of 3-pixel samples, the second's two pixels further right.
    first, second = (Halves()[i][1].as_subclass(torch.Tensor).long()[None] for i in range(2))
    for labels, wrong in ((first, 0), (second, 12)):
        predicted = upsample(sampled_scores(labels, 3, 2), (12, 12)).argmax(1)
        assert int((predicted != labels).sum()) == wrong


def test_coarser_maps_have_lower_ceilings():
    pictures = open_dataset("outline", "val", DataConfig(pictures=12))
    scores = [sampling_ceiling(pictures, s) for s in (2, 4, 8, 16)]
    assert scores == sorted(scores, reverse=True)
    assert scores[1] == pytest.approx(0.91, abs=0.03)
