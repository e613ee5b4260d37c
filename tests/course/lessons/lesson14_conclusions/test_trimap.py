"""The trimap's scores and its explorer."""

import matplotlib

matplotlib.use("agg")
import numpy as np
import torch
from matplotlib import pyplot as plt

from dlv3.course.lessons.lesson14_conclusions import trimap


def halves(shift: int = 0) -> torch.Tensor:
    masks = torch.zeros(1, 20, 20, dtype=torch.long)
    masks[:, :, 10 + shift :] = 1
    return masks


def test_a_border_that_is_off_by_one_is_worst_in_the_narrowest_band():
    assert trimap.in_bands(halves(), halves(), 2) == [100.0] * len(trimap.WIDTHS)
    scores = trimap.in_bands(halves(1), halves(), 2)
    # In the band of width 1, two columns, one of them is wrong.
    assert scores[0] == 25.0
    assert scores == sorted(scores)


def test_lines_have_the_names_of_what_is_scored():
    figure, axis = plt.subplots()
    trimap.draw_bands(axis, {"coarse": [1.0] * 7, "fine": [2.0] * 7})
    assert [line.get_label() for line in axis.lines] == ["coarse", "fine"]
    plt.close(figure)


def test_explorer_says_how_many_mistakes_the_band_holds():
    pictures, wrong, right = torch.zeros(4, 3, 20, 20), halves(1).repeat(4, 1, 1), halves().repeat(4, 1, 1)
    palette = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    explorer = trimap.trimap_explorer(pictures, right, {16: wrong, 8: right}, palette, count=4)
    text = "".join(explorer._repr_mimebundle_()["text/plain"])
    assert "Output stride 16: 5.0% of the pixels are wrong." in text
    assert "holds 100% of the mistakes" in text
