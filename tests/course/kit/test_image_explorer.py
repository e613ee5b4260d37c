"""Image explorers redraw when a control moves, keep their room, and say what they show."""

import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from dlv3.course import ImageExplorer, PhotoExplorer, Pick, Slider
from dlv3.course.kit.pictures import cividis, figure_png, indexed_png, levels, png
from dlv3.course.lessons.lesson01_atrous_convolution.photo import FILTERS, edge_strength, photo, response


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA"))


@pytest.fixture
def greys():
    """An explorer of one grey square, its brightness to choose."""
    return ImageExplorer(
        lambda grey, wide: png(np.full((4, 8 if wide else 4), grey, np.uint8)),
        {"grey": Slider("Grey", (0, 100, 200), start=100), "wide": Pick("Wide", (False, True))},
        says=lambda grey, wide: f"Grey <{grey}>.",
        title="Greys",
        width=40,
    )


def test_picture_and_words_follow_the_controls(greys):
    assert pixels(greys.picture.value)[0, 0, 0] == 100
    greys.controls["grey"].value = 200
    assert pixels(greys.picture.value)[0, 0, 0] == 200
    assert greys.says() == "Grey <200>."
    assert "Grey &lt;200&gt;." in greys.read_out.value


def test_room_is_fixed_by_the_first_picture(greys):
    room = greys.picture.layout.width, greys.picture.layout.height
    greys.set(wide=True, grey=0)
    assert (greys.picture.layout.width, greys.picture.layout.height) == room == ("40px", "40px")


def test_stored_output_has_a_still_and_the_words(greys):
    bundle = greys._repr_mimebundle_()
    assert pixels(base64.b64decode(bundle["image/png"])).shape == (4, 4, 4)
    assert bundle["text/plain"] == "Greys ImageExplorer(grey=100, wide=False)\nGrey <100>."


@pytest.mark.parametrize(("values", "start"), [((1,), None), ((1, 2), 3)])
def test_slider_that_cannot_move_or_start_is_refused(values, start):
    with pytest.raises(ValueError, match="two or more values"):
        Slider("Rate", values, start).control()


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


def test_indexed_picture_has_the_palettes_colours():
    palette = np.array([[10, 20, 30, 0], [40, 50, 60, 255]], np.uint8)
    assert pixels(indexed_png(np.array([[0, 1]], np.uint8), palette)).tolist() == [palette.tolist()]


def test_colours_and_levels_clip_at_their_bounds():
    values = np.array([[-5.0, 0.0, 1.0, 9.0]])
    assert levels(values, 0, 1, 5).tolist() == [[0, 0, 4, 4]]
    colours = cividis(values, 0, 1)
    assert colours[0, 0].tolist() == colours[0, 1].tolist() != colours[0, 2].tolist()


def test_figure_png_redraws_one_figure():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    (line,) = figure.subplots().plot([0, 1], [0, 1])
    before = figure_png(figure, dpi=40)
    line.set_ydata([1, 0])
    assert pixels(before).shape == (40, 40, 4)
    assert figure_png(figure, dpi=40) != before
