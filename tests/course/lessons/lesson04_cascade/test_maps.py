"""Pictures of block7's features: the mixture of channels, the figure and the explorer's sentence."""

import io

import pytest
import torch
from matplotlib import pyplot as plt
from PIL import Image

from dlv3.course.lessons.lesson04_cascade import maps
from dlv3.receptive_field import places_read


@pytest.fixture
def finest():
    """(3, 5, 5) features that vary most in the second channel."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 5, 5, generator=generator) * torch.tensor([0.1, 2, 0.1])[:, None, None]


def test_direction_is_the_channel_that_varies_most(finest):
    direction = maps.main_direction(finest)
    assert direction.norm() == pytest.approx(1)
    assert int(direction.abs().argmax()) == 1
    assert direction.sum() > 0


def test_figure_has_a_map_for_each_output_stride(finest):
    picture = torch.zeros(3, 33, 33, dtype=torch.uint8)
    figure = maps.maps_figure(picture, {8: finest, 16: finest[:, ::2, ::2]})
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["the scene, 33 × 33", "block7 at output stride 8", "block7 at output stride 16"]
    # The same colours in all maps.
    assert figure.axes[1].images[0].get_clim() == figure.axes[2].images[0].get_clim()
    plt.close(figure)


def test_explorer_counts_samples(finest):
    pictures = [torch.zeros(3, 33, 33, dtype=torch.uint8)]
    made = maps.features_explorer(pictures, {0: finest}, maps.main_direction(finest))
    assert made.describe(16, 0) == (
        "Scene 0 at output stride 16: block7 gives 3 × 3 samples, 9 of the 25 at output stride 8."
    )
    image = Image.open(io.BytesIO(made.render(16, 0)))
    assert image.size == (33 + 12 + 33, 33)
    assert image.getpixel((16, 16)) == (255, 255, 255)
    assert image.getpixel((8, 8)) == (0, 0, 0)


def test_world_names_its_classes():
    figure = maps.world_figure((2,))
    assert [axis.get_title() for axis in figure.axes] == ["ring"]
    plt.close(figure)


def test_the_open_task_can_be_done():
    assert list(places_read((1, 2, 4, 8))) == list(range(-15, 16))
    assert list(places_read((1, 3, 9, 27))) == list(range(-40, 41))
