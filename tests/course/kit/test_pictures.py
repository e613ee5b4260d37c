"""Numbers and pixels become PNG pictures."""

import numpy as np
from stills import pixels

from dlv3.course.kit.pictures import cividis, figure_png, indexed_png, levels


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
