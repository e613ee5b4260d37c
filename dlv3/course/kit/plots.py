"""The look of the lessons' figures: readable on light and dark pages, not by colour alone, with a text alternative.

    use_course_style()
    figure, axis = plt.subplots()
    axis.plot(rates, accuracy, label="measured")
    show(figure, "Accuracy against rate: 25% everywhere but at 12, where it is near 100%.")

The look itself is `dlv3.figure_style`: one stored picture serves both of JupyterLab's themes.
"""

import html
import io
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from IPython.display import HTML, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike
from torch import Tensor

from dlv3.course.kit.pictures import in_few_colours
from dlv3.figure_style import (
    BLUE,
    COLOURS,
    DASHES,
    GREEN,
    INK,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
)

__all__ = [
    "BLUE", "COLOURS", "DASHES", "GREEN", "INK", "MARKERS", "ORANGE", "PURPLE", "SKY", "VERMILLION", "show",
    "show_image", "use_course_style",
]  # fmt: skip


def use_course_style() -> None:
    """Set matplotlib up for the lessons: transparent background, grey ink, Okabe-Ito lines, cividis maps."""
    mpl.rcParams.update(STYLE)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=COLOURS, marker=MARKERS, linestyle=DASHES)


def show(figure: Figure, words: str, *, dpi: int = 144, colours: int | None = None) -> None:
    """Show a figure with its description in words, then close it. Make it a cell's last line.

    The words are the picture's text alternative in the exported pages. JupyterLab shows no text alternative, so they
    are also folded below the picture. Stored outputs hold them as text, so a test compares them.

    Args:
        figure: the figure; it is closed and cannot be shown again.
        words: what the picture shows, for a reader who cannot see it; not a repetition of the title.
        dpi: pixels per inch; the picture's width on the page does not depend on it.
        colours: store the picture in at most so many colours, for figures that hold photos: a fifth of the bytes.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    png = buffer.getvalue() if colours is None else in_few_colours(buffer.getvalue(), colours)
    width, height = (round(96 * side) for side in figure.get_size_inches())
    plt.close(figure)
    display(
        {"image/png": png, "text/plain": f"Figure: {words}"},
        metadata={"image/png": {"width": width, "height": height, "alt": words}},
        raw=True,
    )
    display(HTML(f"<details><summary>The figure in words</summary>{html.escape(words)}</details>"))


def show_image(axis: Axes, image: ArrayLike | Tensor, title: str, **options: Any) -> AxesImage:
    """Draw an image on an axis with a title and no ticks; numbers become colours by cividis.

    Args:
        axis: the axis to draw on.
        image: (H, W) numbers or (H, W, 3) colours; a tensor or an array.
        title: what it is, with its size.
        options: for `Axes.imshow`, such as vmin and vmax.

    Returns:
        The image's artist, for a colour bar.
    """
    artist = axis.imshow(np.asarray(image), **options)
    axis.set_title(title)
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    return artist
