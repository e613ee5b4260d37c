"""Numbers and pixels become PNG pictures."""

import io

import numpy as np
from PIL import Image
from stills import pixels

from dlv3.course.kit.pictures import cividis, figure_png, in_few_colours, indexed_png, levels, png


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


def test_a_picture_in_few_colours_keeps_its_size_and_what_is_transparent():
    generator = np.random.default_rng(0)
    photo = generator.integers(0, 256, (40, 30, 4), np.uint8)
    # Opaque noise, a ground without colour, and the rim of a grey letter.
    photo[:20, :, 3], photo[20:], photo[30] = 255, 0, (112, 112, 112, 128)
    small = in_few_colours(png(photo), 64)
    assert len(small) < len(png(photo)) / 2
    shown = np.asarray(Image.open(io.BytesIO(small)).convert("RGBA")).astype(int)
    assert shown.shape == (40, 30, 4)
    assert len(np.unique(shown.reshape(-1, 4), axis=0)) <= 64
    assert (shown[:20, :, 3] == 255).all()
    assert np.abs(shown[:20, :, :3] - photo[:20, :, :3]).mean() < 40
    assert (shown[31:, :, 3] == 0).all()
    assert (shown[30, :, :3] == 112).all()
    assert np.abs(shown[30, :, 3] - 128).max() <= 8


def test_a_picture_without_transparency_keeps_its_few_colours():
    flat = np.array([[[10, 20, 30], [200, 100, 0]]], np.uint8)
    assert (
        np.asarray(Image.open(io.BytesIO(in_few_colours(png(flat)))).convert("RGB")).tolist() == flat.tolist()
    )
