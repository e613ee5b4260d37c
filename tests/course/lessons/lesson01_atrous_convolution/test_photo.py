"""The photo explorer runs the filter that it says, on the photo or on a feature map."""

import numpy as np
import pytest
import torch
from stills import pixels

from dlv3.course import PhotoExplorer
from dlv3.course.lessons.lesson01_atrous_convolution.photo import FILTERS, edge_strength, photo, response


@pytest.mark.parametrize("rate", [1, 4])
def test_response_reads_samples_rate_apart(rate):
    image, weight = photo(48), FILTERS["vertical edges"]
    answer = response(image, weight, rate)
    for y, x in ((20, 20), (0, 0), (47, 3)):
        taps = [
            weight[i, j] * image[min(max(y + (i - 1) * rate, 0), 47), min(max(x + (j - 1) * rate, 0), 47)]
            for i in range(3)
            for j in range(3)
        ]
        torch.testing.assert_close(answer[y, x], torch.stack(taps).sum())


def test_feature_map_is_coarser_and_strong_at_edges():
    step = torch.zeros(32, 32)
    step[:, 16:] = 1
    strength = edge_strength(step, output_stride=4)
    assert strength.shape == (8, 8)
    assert set(strength[4].nonzero().flatten().tolist()) == {3, 4}


def test_photo_explorer_shows_the_taps_at_the_chosen_rate():
    explorer = PhotoExplorer(max_rate=8)
    orange = (230, 159, 0, 255)
    widths = []
    for rate in (4, 8):
        explorer.set(rate=rate)
        columns = np.argwhere((pixels(explorer.picture.value) == orange).all(-1))[:, 1]
        widths.append(columns.max() - columns.min())
    assert widths[1] - widths[0] == 2 * 4  # two gaps, each four pixels wider
    assert "span 17 × 17" in explorer.says()


def test_photo_explorer_takes_a_learned_feature_map():
    explorer = PhotoExplorer(torch.rand(9, 9, generator=torch.Generator().manual_seed(0)))
    explorer.set(on="a feature map")
    assert "of 9 × 9 samples" in explorer.says()
