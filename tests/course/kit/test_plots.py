"""Figures are readable on both themes and carry their description."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from dlv3.course.kit import plots


@pytest.fixture(autouse=True)
def _style():
    with matplotlib.rc_context():
        plots.use_course_style()
        yield


def luminance(colour: str) -> float:
    """WCAG's relative luminance."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot((0.2126, 0.7152, 0.0722), channels))


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])
def test_ink_is_readable_on_both_themes(page):
    dark, light = sorted((luminance(plots.INK), luminance(page)))
    assert (light + 0.05) / (dark + 0.05) > 4


def test_lines_differ_by_more_than_colour():
    figure, axis = plt.subplots()
    lines = [axis.plot([0, 1])[0] for _ in plots.COLOURS]
    for look in ("color", "marker"):
        assert len({plt.getp(line, look) for line in lines}) == len(lines)
    assert len({str(line._unscaled_dash_pattern) for line in lines}) == len(lines)
    plt.close(figure)


def test_show_gives_picture_and_words_and_closes(monkeypatch):
    shown = []
    monkeypatch.setattr(plots, "display", lambda *data, **options: shown.append((*data, options)))
    figure, axis = plt.subplots(figsize=(5, 2.5))
    axis.plot([0, 1])
    plots.show(figure, "A line that rises & <ends>.")
    data, options = shown[0]
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == "Figure: A line that rises & <ends>."
    assert options["metadata"]["image/png"] == {
        "width": 480,
        "height": 240,
        "alt": "A line that rises & <ends>.",
    }
    assert "rises &amp; &lt;ends&gt;." in shown[1][0].data
    assert not plt.get_fignums()


def test_background_is_transparent():
    figure, _ = plt.subplots(figsize=(1, 1))
    figure.canvas.draw()
    assert figure.get_facecolor()[3] == 0
    plt.close(figure)


def test_show_image_hides_ticks_and_keeps_the_title():
    figure, axis = plt.subplots()
    artist = plots.show_image(axis, np.eye(3), "3×3", vmin=0)
    assert axis.get_title() == "3×3"
    assert len(axis.get_xticks()) == 0
    assert artist.get_cmap().name == "cividis"
    plt.close(figure)
