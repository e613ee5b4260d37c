"""Pictures of pages: small files, the size that they are shown at, and words for who cannot see them."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from docs.figures import Figures, webp


def test_picture_is_written_with_its_size_and_words(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((90, 150, 3), np.uint8)).save(buffer, "PNG")
    markup = Figures(tmp_path, "../figures").image(
        base64.b64encode(buffer.getvalue()).decode(), "black", 'A "black" picture', 100
    )
    found = re.search(
        r'src="../figures/(black-\w{8}.webp)" alt="A &quot;black&quot; picture" width="100" height="60"',
        markup,
    )
    assert 'loading="lazy"' in markup
    assert Image.open(tmp_path / found[1]).size == (150, 90)


def test_file_of_the_project_keeps_its_kind_if_it_is_drawn_and_is_made_small_if_it_is_painted(tmp_path):
    figures = Figures(tmp_path / "book", "../../figures")
    drawn = b'<svg xmlns="http://www.w3.org/2000/svg" width="316.8pt" height="72pt" version="1.1"></svg>'
    (tmp_path / "plot.svg").write_bytes(drawn)
    markup = figures.file(tmp_path / "plot.svg", "A plot")
    name = re.search(
        r'src="../../figures/(plot-\w{8}.svg)" alt="A plot" width="422" height="96" loading="lazy"', markup
    )
    assert (tmp_path / "book" / name[1]).read_bytes() == drawn
    Image.fromarray(np.zeros((9, 15, 3), np.uint8)).save(tmp_path / "black.png")
    assert "dlv3-plot" not in markup, "it fits on a phone"
    (tmp_path / "wide.svg").write_bytes(drawn.replace(b"316.8", b"518.4"))
    assert "dlv3-plot" in figures.file(tmp_path / "wide.svg", "A wide plot"), "it scrolls there"
    assert re.search(
        r'src="../../figures/black-\w{8}.webp".*width="15"', figures.file(tmp_path / "black.png", "")
    )
    (tmp_path / "bare.svg").write_text("<svg></svg>")
    with pytest.raises(ValueError, match="no width and height"):
        figures.file(tmp_path / "bare.svg", "")


def test_flat_colours_stay_exact_and_transparency_is_kept():
    flat = np.zeros((40, 40, 4), np.uint8)
    flat[:20] = (200, 30, 60, 255)
    again = np.asarray(Image.open(io.BytesIO(webp(Image.fromarray(flat)))).convert("RGBA"))
    assert (again[:20] == flat[:20]).all()
    assert (again[20:, :, 3] == 0).all()
