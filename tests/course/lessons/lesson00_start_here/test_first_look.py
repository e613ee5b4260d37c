"""The first look's answers are the model's, at each position of the slider."""

import pytest
import torch
from matplotlib import pyplot as plt

import dlv3
from dlv3.course.lessons.lesson00_start_here import first_look
from dlv3.data.made.scenes import Scenes


@pytest.fixture(scope="module")
def look():
    config = dlv3.DeepLabV3Config(num_classes=8, backbone="resnet14", aspp_channels=8)
    return first_look.FirstLook(dlv3.DeepLabV3(config).eval(), Scenes("val", pictures=2))


def test_answers_are_those_of_the_model_at_that_output_stride(look):
    answers = look.answers(32)
    look.model.set_output_stride(32)
    with torch.inference_mode():
        assert torch.equal(answers, look.model(look.images).argmax(1))


def test_samples_a_side_are_rounded_up(look):
    assert [look.samples_a_side(every) for every in first_look.POSITIONS] == [5, 9, 17, 33]


def test_explorer_says_how_many_pixels_are_right(look):
    explorer = look.explorer()
    explorer.set(every=32, scene=1)
    right = (look.answer(32, 1) == look.masks[1]).float().mean()
    assert explorer.says().startswith(f"One answer every 32 pixels: {right:.0%} of the pixels are right.")


def test_tinting_darkens_the_background_and_colours_the_rest(look):
    picture = look.picture(0)
    labels = torch.zeros(picture.shape[:2], dtype=torch.long)
    labels[0, 0] = 3
    made = first_look.tinted(picture, labels, look.scenes.palette)
    assert (made[1:] == (0.6 * picture[1:]).astype("uint8")).all()
    assert (made[0, 0] == (0.35 * picture[0, 0] + 0.65 * look.scenes.palette[3]).astype("uint8")).all()


def test_figures_are_drawn_and_name_the_classes(look):
    figure, words = first_look.named(look, 0)
    assert words.startswith("0 background, ")
    assert len(figure.axes) == 2
    assert len(first_look.side_by_side(look, 0, (32, 16)).axes) == 3
    assert len(first_look.score_bars({32: 40.0, 16: 60.0}).axes[0].patches) == 2
    assert first_look.gallery(look, scenes=2, every=32).axes[0].get_title()
    plt.close("all")
