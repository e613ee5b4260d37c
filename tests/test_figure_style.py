import pytest

from dlv3.figure_style import COLOURS, DASHES, INK, MARKERS, STYLE


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.1."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_ink_is_readable_on_both_themes():
    assert contrast(INK, "#ffffff") == pytest.approx(4.5, abs=0.05)
    assert contrast(INK, "#111111") == pytest.approx(4.2, abs=0.05)


def test_series_differ_by_more_than_colour():
    for looks in (COLOURS, MARKERS, DASHES):
        assert len(set(looks)) == len(COLOURS)


def test_matplotlib_takes_every_setting():
    mpl = pytest.importorskip("matplotlib")
    with mpl.rc_context(STYLE):
        assert mpl.rcParams["text.color"] == INK
        assert mpl.rcParams["savefig.facecolor"] == "none"
