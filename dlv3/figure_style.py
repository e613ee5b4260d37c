"""The look of all figures: readable on light and dark pages, and without relying on colour.

Backgrounds are transparent and the ink is a mid grey, so that one picture serves both themes. Lines differ by marker
and dash as well as by colour. Needs no matplotlib: `STYLE` is for `matplotlib.rcParams`, the rest are its arguments.
"""

from typing import Any

# Okabe and Ito's colour-blind-safe palette, without the black and the yellow that vanish on one of the themes.
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
# As far from white as from JupyterLab's dark page: 4.5 and 4.2 to 1.
INK = "#777777"

_INKED = (
    "text.color",
    "axes.labelcolor",
    "axes.edgecolor",
    "xtick.color",
    "ytick.color",
    "legend.labelcolor",
)
_TRANSPARENT = ("figure.facecolor", "axes.facecolor", "savefig.facecolor")

STYLE: dict[str, Any] = {
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
