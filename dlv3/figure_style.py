"""The look of all figures: readable on light and dark pages, and without relying on colour.

Backgrounds are transparent and the ink is a mid grey, so that one picture serves both themes. Lines differ by marker
and dash as well as by colour. This file does not import matplotlib: `STYLE` is for `matplotlib.rcParams`, and the other
names are arguments of its functions.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

# Okabe and Ito's palette for colour-blind readers, without the black and the yellow, each invisible on one theme.
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)))
# Equally visible on white and on JupyterLab's dark page: contrasts of 4.5 and 4.2 to 1.
INK = "#777777"

_INKED: "tuple[RcKeyType, ...]" = (
    "text.color",
    "axes.labelcolor",
    "axes.edgecolor",
    "xtick.color",
    "ytick.color",
    "legend.labelcolor",
)
_TRANSPARENT: "tuple[RcKeyType, ...]" = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")

STYLE: "dict[RcKeyType, Any]" = {
    **dict.fromkeys(_INKED, INK),
    **dict.fromkeys(_TRANSPARENT, "none"),
    "figure.figsize": (7.2, 3.6),
    "figure.dpi": 96,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "axes.titlesize": 11,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "image.cmap": "cividis",
    "image.interpolation": "nearest",
}
