"""The four mistakes: crops, scores, bars and the explorer."""

import matplotlib

matplotlib.use("agg")
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from dlv3.course.lessons.lesson13_real_photos import four_mistakes


class ByColour(nn.Module):
    """Names class 1 where the first channel is above 0."""

    def forward(self, images):
        return torch.cat([-images[:, :1], images[:, :1]], 1)


def pair(side: int = 193) -> four_mistakes.Pair:
    labels = torch.zeros(side, side, dtype=torch.long)
    labels[:, side // 2 :] = 1
    return (2 * labels - 1).float().repeat(3, 1, 1), labels


def test_middle_is_cut_around_the_centre():
    image, labels = four_mistakes.middle(*pair(), 97)
    assert image.shape == (3, 97, 97)
    assert torch.equal(image[0] > 0, labels == 1)
    assert labels.float().mean() == pytest.approx(0.5, abs=0.02)


def test_scores_are_of_the_classes_that_occur():
    assert four_mistakes.score(ByColour(), [pair(), pair(129)], 2) == 100
    assert four_mistakes.thawed_score(ByColour(), [pair(129)] * 3, 2, 2) == 100


def test_first_bar_differs_from_the_others_by_more_than_colour():
    figure = four_mistakes.bars({"right": 80.0, "a": 70.0, "b": 60.0}, "title")
    assert [bar.get_hatch() for bar in figure.axes[0].patches] == ["//", "", ""]
    plt.close(figure)


def test_explorer_shows_only_what_each_way_looks_at():
    image, labels = pair()
    photo = np.zeros((193, 193, 3), np.uint8)
    networks = dict.fromkeys(four_mistakes.WAYS[:3], ByColour())
    palette = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)
    explorer = four_mistakes.mistakes_explorer(
        networks, ByColour(), [photo] * 6, [(image, labels)] * 6, palette
    )
    assert ": 100% of the labelled pixels are looked at, and 100% of these are right." in explorer.says()
    explorer.set(way=four_mistakes.WAYS[3])
    assert f"{97**2 / 193**2:.0%} of the labelled pixels are looked at" in explorer.says()
    explorer.set(way=four_mistakes.WAYS[4])
    assert "100% of these are right" in explorer.says()
