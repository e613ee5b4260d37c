"""The explorer of the branches: five panels of one size, and words with the right grammar."""

import io

import pytest
import torch
from PIL import Image

from dlv3.course.lessons.lesson06_aspp.branches import branch_explorer, changed
from dlv3.data.made.scenes import Scenes


@pytest.fixture(scope="module")
def explorer():
    scenes = Scenes("val", pictures=4)
    masks = torch.stack([scenes[i][1].long() for i in range(4)])
    strengths = {"1×1": torch.rand(4, 9, 9), "image pooling": torch.full((4, 9, 9), 0.5)}
    decisions = {"none": masks, "1×1": masks, "image pooling": torch.zeros_like(masks)}
    return branch_explorer(scenes, masks, strengths, decisions, shown=4)


def test_picture_has_five_panels(explorer):
    assert Image.open(io.BytesIO(explorer.picture.value)).size == (2 * (5 * 129 + 4 * 5), 2 * 129)


def test_words_compare_the_decision_with_the_truth(explorer):
    explorer.set(branch="1×1", scene=2)
    assert (
        explorer.says()
        == "All branches get 100% of scene 2 right, without 1×1 it is 100%. No pixel changes its class."
    )
    explorer.set(branch="image pooling")
    assert explorer.says().endswith("% of the pixels change their class.")


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (0, "No pixel changes its class."),
        (1, "1 pixel changes its class."),
        (40, "40 pixels change their class."),
        (500, "5% of the pixels change their class."),
    ],
)
def test_a_share_that_rounds_to_0_is_a_count(moved, words):
    assert changed(moved, 10_000) == words
