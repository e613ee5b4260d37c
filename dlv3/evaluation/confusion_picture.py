"""A confusion matrix as a picture: each label's pixels in percent, by what they were predicted as.

Needs matplotlib, which is imported only here.
"""

import io
from importlib.util import find_spec

import numpy as np

from dlv3.evaluation.report import Evaluation
from dlv3.figure_style import STYLE
from dlv3.printed import printable

_TITLE = "dlv3 confusion matrix"
_NUMBERS = 25  # classes at most whose cells have room for a number


def require_matplotlib() -> None:
    """Check that a picture can be drawn.

    Raises:
        ValueError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise ValueError("--confusion: needs matplotlib; install it with pip install matplotlib")


def draw_confusion(found: Evaluation) -> bytes:
    """Draw the confusion matrix; a row is a label, and sums to 100%. Returns a PNG."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.array(found.confusion, dtype=np.float64)  # (labels, predictions)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [printable(name).replace("$", r"\$") for name in found.classes]
    side = min(40.0, 2.5 + 0.45 * len(names))
    plain = {"figure.facecolor": "white", "savefig.facecolor": "white", "axes.grid": False}
    with mpl.rc_context(STYLE), mpl.rc_context(plain):  # type: ignore[arg-type]  # the stub lists the keys it allows
        figure = Figure(figsize=(side + 1, side), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        image = axes.imshow(shares, vmin=0, vmax=100)
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("labelled")
        axes.set_title(f"pixels of each label, in percent; mIOU {100 * found.miou:.2f}%")
        figure.colorbar(image, ax=axes, label="%")
        if len(names) <= _NUMBERS:
            for y, x in np.argwhere(shares >= 0.5):
                ink = "black" if shares[y, x] > 50 else "white"
                axes.text(x, y, f"{shares[y, x]:.0f}", ha="center", va="center", color=ink, fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100, metadata={"Title": _TITLE})
    return buffer.getvalue()


def is_confusion_picture(content: bytes) -> bool:
    """Tell whether a file's content is a picture that `draw_confusion` drew."""
    return content.startswith(b"\x89PNG") and b"Title\0" + _TITLE.encode() in content
