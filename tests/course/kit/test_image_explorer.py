"""Image explorers redraw when a control moves, keep their size, and describe their picture."""

import base64

import numpy as np
import pytest
from stills import pixels

from dlv3.course import ImageExplorer, Pick, Slider
from dlv3.course.kit.pictures import png


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


def test_size_is_fixed_by_the_first_picture(greys):
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
