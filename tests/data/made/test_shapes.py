"""Outlines against plane geometry in floating point."""

import math
from collections import Counter

import numpy as np

from dlv3.data.made.scenes import Scenes
from dlv3.data.made.shapes import Canvas
from dlv3.data.made.textures import CANONICAL_SIZE, TURN, UNIT


def inside(kind, x, y, radius):
    """Whether points are in an outline, by plane geometry in floating point."""
    if kind == "disc":
        return np.hypot(x, y) < radius
    if kind == "ring":
        return (np.hypot(x, y) < radius) & (np.hypot(x, y) > 0.55 * radius)
    if kind == "square":
        return (abs(x) < 0.8 * radius) & (abs(y) < 0.8 * radius)
    if kind == "cross":
        bars = [(abs(a) < radius) & (abs(b) < 0.3 * radius) for a, b in ((x, y), (y, x))]
        return bars[0] | bars[1]
    corners = [
        1.2 * radius * np.array([math.sin(t), -math.cos(t)]) for t in (0, math.tau / 3, 2 * math.tau / 3)
    ]
    edges = zip(corners, corners[1:] + corners[:1], strict=True)
    return np.all([(b[0] - a[0]) * (y - a[1]) > (b[1] - a[1]) * (x - a[0]) for a, b in edges], axis=0)


def test_labels_follow_the_outlines_of_plane_geometry():
    kinds = Counter()
    for index in range(40):
        for shape in Scenes("val").layout(index).shapes:
            canvas = Canvas(CANONICAL_SIZE)
            shape.draw(canvas, 1)
            centres = np.arange(CANONICAL_SIZE) + 0.5
            x, y = centres - shape.x / UNIT, centres[:, None] - shape.y / UNIT
            cos, sin = math.cos(math.tau * shape.angle / TURN), math.sin(math.tau * shape.angle / TURN)
            across, down = cos * x + sin * y, cos * y - sin * x
            # Within a tenth of a pixel of an outline, rounding may decide either way.
            sure = inside(shape.kind, across, down, shape.radius / UNIT - 0.1)
            possible = inside(shape.kind, across, down, shape.radius / UNIT + 0.1)
            if shape.kind in ("cross", "ring"):  # not monotone in the radius: compare where both agree
                sure, possible = sure & possible, sure | possible
            labelled = canvas.labels == 1
            assert not (sure & ~labelled).any()
            assert not (labelled & ~possible).any()
            kinds[shape.kind] += 1
    assert len(kinds) == 5
