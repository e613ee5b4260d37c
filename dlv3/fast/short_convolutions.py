"""Short convolutions with a 3-tap filter along one axis, with fewer multiplications than taps times outputs.

Two samples a, b between zeros, with the taps u, v, w, have the outputs v a + w b and u a + v b: four products. Three
are enough:

    p = v (a + b),  q = (w - v) b,  r = (u - v) a,  p + q = v a + w b,  p + r = u a + v b

With a = 1, b = 2 and the taps 3, 4, 5: p = 12, q = 2, r = -1, and the outputs are 14 and 11.

In general a tile of m outputs with neighbours takes 3m products. The outputs are also coefficients of a product of
polynomials, which is known from its values at m + 2 points, so that m + 2 products are enough (Winograd 1980; for
convolutional networks Lavin and Gray 2016, section 4). The smallest example: (3 + 4x) (1 + 2x) = 3 + 10x + 8x² has four
products of coefficients. Its values at 0 and 1, and its highest coefficient, are three:

    3 * 1 = 3,  (3 + 4) (1 + 2) = 21,  4 * 2 = 8,  and 10 = 21 - 3 - 8

`dlv3.fast.tiling` puts two axes together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

TILES = (3, 4, 5, 6)  # outputs
POINTS = (0, 1, -1, 2, -2, 1 / 2, -1 / 2)  # a tile takes the first of them; an even one takes infinity too

Matrix = tuple[tuple[float, ...], ...]
"""Rows."""


@dataclass(frozen=True)
class Scheme:
    """One way to compute a tile of outputs along one axis, as three matrices: A ((G taps) * (B samples))."""

    tile: int
    """Outputs of a tile."""
    before: int
    """Neighbouring samples that a tile reads before its own, and as many behind."""
    of_samples: Matrix
    """B, (points, tile + 2 * before): Lavin and Gray's B transposed."""
    of_taps: Matrix
    """G, (points, 3): Lavin and Gray's G."""
    of_products: Matrix
    """A, (tile, points): Lavin and Gray's A transposed."""

    @property
    def points(self) -> int:
        return len(self.of_taps)

    @property
    def samples(self) -> int:
        """Samples that a tile reads."""
        return self.tile + 2 * self.before


def _from_points(tile: int) -> Scheme:
    """Return the scheme with the outputs as a polynomial's coefficients and the products as its values (Toom-Cook)."""
    finite = POINTS[: tile + 1 + tile % 2]
    infinity = tile + 2 - len(finite)  # 1 for even tiles
    of_samples, of_taps = [], []
    for point in finite:
        others = [other for other in finite if other != point]
        of_samples.append((*_with_roots(others), *[0.0] * infinity))
        scale = prod(point - other for other in others)
        of_taps.append(tuple(point**tap / scale for tap in range(3)))
    of_products = [[float(point**output) for point in finite] for output in range(tile)]
    if infinity:
        of_samples.append(_with_roots(finite))
        of_taps.append((0.0, 0.0, 1.0))
        for output in range(tile):
            of_products[output].append(float(output == tile - 1))
    return Scheme(tile, 1, tuple(of_samples), tuple(of_taps), tuple(map(tuple, of_products)))


def _with_roots(roots: Sequence[float]) -> tuple[float, ...]:
    """Return the coefficients of the polynomial with these roots, the constant first."""
    coefficients = [1.0]
    for root in roots:
        shifted, scaled = [0.0, *coefficients], [*(root * c for c in coefficients), 0.0]
        coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
    return tuple(coefficients)


WHOLE = (
    # Two samples a, b between zeros and the taps u, v, w. The products are v (a + b), (w - v) b and (u - v) a; the
    # outputs v a + w b and u a + v b are the first product plus the second, and plus the third.
    Scheme(2, 0, ((1, 1), (0, 1), (1, 0)), ((0, 1, 0), (0, -1, 1), (1, -1, 0)), ((1, 1, 0), (1, 0, 1))),
    # Three samples a, b, c between zeros. Let s = a + c and d = a - c, and for the taps h = (u + w) / 2 and
    # g = (u - w) / 2. The outputs are v s / 2 + h b ± (v d / 2 - g b) at the ends and h s + g d + v b between them.
    # Of the products p, q = (s ± 3/2 b) (v / 4 ± h / 3), the sum p + q is v s / 2 + h b, and 3/2 (p - q) is
    # h s + 9/8 v b. The products r, t = (b ± 2 d) (-v / 8 ± g / 2) give the rest: (r + t) / 2 is g d - v b / 8, and
    # t - r is v d / 2 - g b.
    Scheme(
        3,
        0,
        ((1, 3 / 2, 1), (1, -3 / 2, 1), (2, 1, -2), (-2, 1, 2)),
        ((1 / 6, 1 / 4, 1 / 6), (-1 / 6, 1 / 4, -1 / 6), (1 / 4, -1 / 8, -1 / 4), (-1 / 4, -1 / 8, 1 / 4)),
        ((1, 1, -1, 1), (3 / 2, -3 / 2, 1 / 2, 1 / 2), (1, 1, 1, -1)),
    ),
)
"""For a phase of at most the tile's length, which has nothing but padding beside it."""
OVERLAPPING = tuple(map(_from_points, TILES))


@cache
def scheme_for(side: int, rate: int, largest: int = TILES[-1]) -> Scheme:
    """Return the scheme for an axis: one tile for a short phase, two of four for one of 7 or 8, else the largest tiles.

    A filter is made ready for one scheme. So nearly all maps have the same one, though others would sometimes waste
    less at the rim; on short phases the waste would be half.

    Args:
        side: samples along the axis.
        rate: atrous rate.
        largest: the largest tile allowed, one of `TILES`.
    """
    of_phase = -(-side // rate)
    usable = [*WHOLE, *(scheme for scheme in OVERLAPPING if scheme.tile <= largest)]
    one_tile = [scheme for scheme in usable if scheme.tile >= of_phase]
    if one_tile:
        return one_tile[0]
    return OVERLAPPING[TILES.index(4)] if of_phase <= 8 and largest > 4 else usable[-1]
