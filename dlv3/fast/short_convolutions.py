"""A 3-tap filter's short convolutions, along one axis, with fewer multiplications than taps times outputs.

A tile of m outputs takes 3m multiplications. Seen as coefficients of a product of polynomials, known by its values at
m + 2 points, it takes m + 2 (Winograd 1980; for convolutional networks Lavin and Gray 2016, section 4). Where all that
is beside a tile is padding, two and three samples take three and four. `dlv3.fast.winograd` puts two axes together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import prod

import torch
from torch import Tensor

TILES = (3, 4, 5, 6)  # outputs
POINTS = (0, 1, -1, 2, -2, 1 / 2, -1 / 2)  # the first of them, and for an even tile infinity


@dataclass(frozen=True)
class Scheme:
    """How a tile of outputs along one axis comes from products of sums of samples with sums of the filter's taps.

    In each matrix the first two points belong together, the next two, and so on, as far as `pairs` goes: their sums of
    samples are E + O and E - O, so that E and O are enough, and their products are wanted as sum and difference.
    """

    tile: int
    """Outputs."""
    before: int
    """How many samples before the tile's own it looks at, and how many behind."""
    pairs: int
    of_samples: tuple[tuple[float, ...], ...]
    """(points, tile + 2 · before): Lavin and Gray's B transposed."""
    of_taps: tuple[tuple[float, ...], ...]
    """(points, 3): their G."""
    of_products: tuple[tuple[float, ...], ...]
    """(tile, points): their A transposed."""

    @property
    def points(self) -> int:
        return len(self.of_taps)

    def sum_samples(self, samples: Sequence[Tensor], values: Tensor) -> None:
        """What each tile's samples give to its products: tile + 2 · before tensors into (points, ...)."""
        for p in range(0, 2 * self.pairs, 2):
            rows = zip(self.of_samples[p], self.of_samples[p + 1], strict=True)
            even, odd = zip(*(((a + b) / 2, (a - b) / 2) for a, b in rows), strict=True)
            scale = [c for c in odd if c][-1]
            even_sum = _weighted_sum(even, samples)
            odd_sum = _weighted_sum([c / scale for c in odd], samples)
            torch.add(even_sum, odd_sum, alpha=scale, out=values[p])
            torch.sub(even_sum, odd_sum, alpha=scale, out=values[p + 1])
        for p in range(2 * self.pairs, self.points):
            _weighted_sum(self.of_samples[p], samples, out=values[p])

    def sum_products(self, products: Tensor, outputs: Tensor) -> None:
        """Each tile's outputs: (points, ...) into (tile, ...)."""
        paired = range(0, 2 * self.pairs, 2)
        sums = [products[p] + products[p + 1] for p in paired]
        differences = [products[p] - products[p + 1] for p in paired]
        terms = [*sums, *differences, *products[2 * self.pairs :]]
        for output, row in zip(outputs, self.of_products, strict=True):
            of_sums = [(row[p] + row[p + 1]) / 2 for p in paired]
            of_differences = [(row[p] - row[p + 1]) / 2 for p in paired]
            _weighted_sum([*of_sums, *of_differences, *row[2 * self.pairs :]], terms, out=output)

    def to_products(self, of_outputs: Sequence[Tensor], of_products: Tensor) -> None:
        """The adjoint of `sum_products`: tile tensors into (points, ...)."""
        for p, column in enumerate(zip(*self.of_products, strict=True)):
            _weighted_sum(column, of_outputs, out=of_products[p])

    def to_samples(self, of_values: Tensor, of_samples: Sequence[Tensor]) -> None:
        """The adjoint of `sum_samples`: (points, ...) added to tile + 2 · before tensors."""
        for sample, column in zip(of_samples, zip(*self.of_samples, strict=True), strict=True):
            sample.add_(_weighted_sum(column, of_values.unbind()))


def _from_points(tile: int) -> Scheme:
    """The outputs as coefficients of a polynomial, the products its values: Toom and Cook's way, transposed."""
    finite = POINTS[1 : tile + 1 + tile % 2] + POINTS[:1]  # pairs first
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
    pairs = len(finite) // 2
    return Scheme(tile, 1, pairs, tuple(of_samples), tuple(of_taps), tuple(map(tuple, of_products)))


def _with_roots(roots: Sequence[float]) -> tuple[float, ...]:
    """Coefficients of the polynomial with these roots, the constant first."""
    coefficients = [1.0]
    for root in roots:
        shifted, scaled = [0.0, *coefficients], [*(root * c for c in coefficients), 0.0]
        coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
    return tuple(coefficients)


WHOLE = (
    # Two samples a, b between zeros, taps u, v, w: v (a + b), (w - v) b and (u - v) a, of which the outputs
    # v a + w b and u a + v b are the first plus the second or the third.
    Scheme(2, 0, 0, ((1, 1), (0, 1), (1, 0)), ((0, 1, 0), (0, -1, 1), (1, -1, 0)), ((1, 1, 0), (1, 0, 1))),
    # Three samples a, b, c between zeros. With s = a + c, d = a - c and for the taps v, h = (u + w) / 2 and
    # g = (u - w) / 2 the outputs are v s / 2 + h b ± (v d / 2 - g b) at the ends and h s + g d + v b between them.
    # The first products are p, q = (s ± 3/2 b) (v / 4 ± h / 3): p + q and 3/2 (p - q) are v s / 2 + h b and
    # h s + 9/8 v b. The others, r, t = (b ± 2 d) (-v / 8 ± g / 2), bring what is missing: (r + t) / 2 is
    # g d - v b / 8 and t - r is v d / 2 - g b.
    Scheme(
        3,
        0,
        2,
        ((1, 3 / 2, 1), (1, -3 / 2, 1), (2, 1, -2), (-2, 1, 2)),
        ((1 / 6, 1 / 4, 1 / 6), (-1 / 6, 1 / 4, -1 / 6), (1 / 4, -1 / 8, -1 / 4), (-1 / 4, -1 / 8, 1 / 4)),
        ((1, 1, -1, 1), (3 / 2, -3 / 2, 1 / 2, 1 / 2), (1, 1, 1, -1)),
    ),
)
"""For a phase that is no longer than the tile: all that is beside it is padding."""
OVERLAPPING = tuple(map(_from_points, TILES))


@cache
def scheme_for(side: int, rate: int, largest: int | None = None) -> Scheme:
    """The scheme that takes the fewest products along an axis; of two such, the one of the smaller tile.

    Args:
        side: samples along the axis.
        rate: atrous rate.
        largest: tile, if not any.
    """
    of_phase = -(-side // rate)
    usable = [scheme for scheme in WHOLE if scheme.tile >= of_phase]
    usable += [scheme for scheme in OVERLAPPING if largest is None or scheme.tile <= largest]
    return min(usable, key=lambda scheme: -(-of_phase // scheme.tile) * scheme.points)


def _weighted_sum(weights: Sequence[float], terms: Sequence[Tensor], out: Tensor | None = None) -> Tensor:
    """In few passes through memory; without `out` it may be one of the terms itself."""
    used = [(weight, term) for weight, term in zip(weights, terms, strict=True) if weight]
    used.sort(key=lambda pair: pair[0] != 1)  # one of weight 1 first, to be added to
    (weight, term), *rest = used
    if weight != 1:
        total = torch.mul(term, weight, out=out)
    elif rest:
        (weight, other), *rest = rest
        total = torch.add(term, other, alpha=weight, out=out)
    else:
        return term if out is None else out.copy_(term)
    for weight, term in rest:
        total.add_(term, alpha=weight)
    return total
