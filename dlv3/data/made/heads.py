"""Heads: long bodies that all look alike, told apart by the colour of a small head at one end.

The paper's reason for context in its simplest form (§3.1, §3.3): a body that a horse and a cow share, and a head that
tells them apart. The class of a body's far end is shown up to 90 pixels away, so the reach of a network's units almost
alone decides its score. The pictures are made for that: a score on them is evidence of the mechanism only.

Everything follows from [seed, split, index] by integer arithmetic (see textures.py): the same bytes on every machine.
A picture's layout does not depend on `size`, which only draws it with more pixels.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from dlv3.data.made.large_objects import LargeObjects, grown_radii, random_centre
from dlv3.data.made.placed import Layout, Painted, Placed, place
from dlv3.data.made.shapes import disc
from dlv3.data.made.textures import (
    CANONICAL_SIZE,
    SINE_SCALE,
    TURN,
    UNIT,
    Colour,
    Fill,
    RandomStream,
    background_fill,
    colour,
    cosine,
    object_fill,
    sine,
)

HUES = {"red": 0, "green": 300, "cyan": 640, "blue": 1060}  # of 1,536
HUE_SPREAD = 30
RIM = 2 * UNIT  # white, around the head
RIM_COLOUR = (245, 245, 245)
HEAD_RADII = (6 * UNIT, 9 * UNIT)
WIDTHS = (25, 50)  # of a body, in percent of its length
RADII = grown_radii(35, 95)


def capsule(x: np.ndarray, y: np.ndarray, radius: int, *, width_percent: int) -> np.ndarray:
    """Return distances to a bar along x with round ends: 2 radius long, `width_percent` of that wide."""
    end = radius * width_percent // 100
    beyond = np.maximum(np.abs(x) - (radius - end), 0)
    return disc(beyond, y, end)


def solid(paint: Colour) -> Fill:
    """Return a fill of one colour."""
    return Fill("grating", 8 * UNIT, 0, 0, None, paint, paint)


@dataclass(frozen=True)
class Body:
    """A body's place and its width."""

    placed: Placed
    width_percent: int

    def head(self, stream: RandomStream, label: int, hue: int) -> tuple[Painted, Painted]:
        """Return the head at the body's right end: its white rim, and its colour over that."""
        radius = stream.between(*HEAD_RADII)
        # One pixel inside of the body's round end.
        along = self.placed.radius - radius - UNIT
        x = self.placed.x + along * cosine(self.placed.angle) // SINE_SCALE
        y = self.placed.y + along * sine(self.placed.angle) // SINE_SCALE
        paint = colour(hue + stream.between(-HUE_SPREAD, HUE_SPREAD), 230, 230)
        return (
            Painted(Placed(disc, x, y, radius, 0), solid(RIM_COLOUR), label),
            Painted(Placed(disc, x, y, radius - RIM, 0), solid(paint), label),
        )


def random_body(stream: RandomStream, size: int, refused: int, extent: int = CANONICAL_SIZE * UNIT) -> Body:
    """Draw a body at any place and angle; each refused candidate makes the next one 3% smaller.

    Args:
        stream: of random numbers.
        size: an index of `RADII`.
        refused: how many candidates were refused before.
        extent: the picture's side, in 1/64 px.
    """
    radius = RADII[max(0, size - 7 * refused)] * extent // (CANONICAL_SIZE * UNIT)
    width, angle = stream.between(*WIDTHS), stream.below(TURN)
    end = radius * width // 100
    # Most of the body lies inside, a fifth of its round ends may be cut off.
    reach_x, reach_y = (
        (radius - end) * abs(direction) // SINE_SCALE + end * 4 // 5
        for direction in (cosine(angle), sine(angle))
    )
    x, _ = random_centre(stream, reach_x, extent)
    _, y = random_centre(stream, reach_y, extent)
    return Body(Placed(partial(capsule, width_percent=width), x, y, radius, angle), width)


class Heads(LargeObjects):
    """Bodies to be named by their heads: see the module's text, and `LargeObjects` for the arguments."""

    classes = ("ground", *HUES)
    title = "heads"
    stream_kind = 4_003

    def draw_layout(self, stream: RandomStream) -> Layout:
        ground = background_fill(stream)
        bodies: dict[int, Body] = {}

        def propose(stream: RandomStream, refused: int) -> Placed:
            body = random_body(stream, stream.below(len(RADII)), refused)
            bodies[id(body.placed)] = body
            return body.placed

        placed = place(stream, stream.between(1, 3), propose, hidden_percent=0)
        painted: list[Painted] = []
        for each in placed:
            painted += painted_body(stream, bodies[id(each)], 1 + stream.below(len(HUES)))
        return Layout(ground, tuple(painted))


def painted_body(stream: RandomStream, body: Body, label: int) -> tuple[Painted, ...]:
    """Return a body with any fill, and the head of a class (1 to 4)."""
    hue = list(HUES.values())[label - 1]
    return (Painted(body.placed, object_fill(stream), label), *body.head(stream, label, hue))
