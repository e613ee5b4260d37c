"""Cut a map into tiles along both axes, and turn tiles into matrix products over the channels and back.

A scheme along one axis (`dlv3.fast.short_convolutions`) becomes one along both axes by Kronecker products: with the
matrices A, G, B of each axis the outputs of a tile of samples d under a filter w are A ((G w G^T) * (B d B^T)) A^T. For
tiles of 2×2 samples between zeros that is 3 * 3 products instead of 4 * 4:

     d       B d B^T       w       G w G^T       products      outputs
            10  6  4    1  2  0    4  1 -1     40   6  -4
    1  2     7  4  3    3  4  5   -2 -2 -1    -14  -8  -3    24  19
    3  4     3  2  1    0  2  1   -2 -3  0     -6  -6   0    34  30

The first sum, 10, is that of all four samples. The first output is 40 + 6 - 14 - 8 = 24, and directly it is
4 * 1 + 5 * 2 + 2 * 3 + 1 * 4.

An atrous convolution is an ordinary one on every rate-th sample (`atrous.split_phases`). So a map is seen as
(N, rows, m, rate, columns, m', rate, C): rows and columns of tiles, the tile's sides m and m', and the phase along each
axis. The sample at row y, for example, is number (y // rate) % m in its tile, and of phase y % rate. Each step has an
adjoint, which takes gradients the other way.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.fast.short_convolutions import TILES, Scheme, scheme_for


@dataclass(frozen=True)
class Tiling:
    """A scheme for each axis. A scheme of `WHOLE` needs phases of at most the tile's length."""

    vertical: Scheme
    horizontal: Scheme

    @classmethod
    def of(cls, size: tuple[int, int], rate: int, largest: int = TILES[-1]) -> Self:
        """Return the tiling for a map of (H, W), with at most `largest` outputs a side (`scheme_for`)."""
        return cls(*(scheme_for(side, rate, largest) for side in size))

    @property
    def points(self) -> int:
        """Products of a tile for each pair of channels."""
        return self.vertical.points * self.horizontal.points

    def tiles(self, size: tuple[int, int], rate: int) -> tuple[int, int]:
        """Return the rows and columns of tiles in each phase of a map."""
        H, W = size
        return -(-H // (rate * self.vertical.tile)), -(-W // (rate * self.horizontal.tile))

    def products(self, size: tuple[int, int], rate: int) -> int:
        """Return the products of a map for each pair of channels, to compare with `direct_products`."""
        rows, columns = self.tiles(size, rate)
        return rows * columns * rate**2 * self.points

    def empty_outputs(
        self, like: Tensor, images: int, size: tuple[int, int], rate: int, channels: int
    ) -> Tensor:
        """Return memory for a map's outputs: (N, rows, m, rate, columns, m', rate, channels)."""
        rows, columns = self.tiles(size, rate)
        return like.new_empty(
            images, rows, self.vertical.tile, rate, columns, self.horizontal.tile, rate, channels
        )

    def at_points(self, weight: Tensor) -> Tensor:
        """Compute the filter's part of the products: (C_out, C_in, 3, 3) to (points, C_out, C_in)."""
        taps = weight.permute(2, 3, 0, 1).reshape(9, -1)  # (3, 3, C_out, C_in), then (9, C_out * C_in)
        at_points = self._of_taps(weight) @ taps  # (points, C_out * C_in)
        return at_points.view(-1, *weight.shape[:2])  # (points, C_out, C_in)

    def to_taps(self, of_points: Tensor) -> Tensor:
        """Apply the adjoint of `at_points`: (points, C_out, C_in) to (C_out, C_in, 3, 3)."""
        taps = self._of_taps(of_points).t() @ of_points.flatten(1)  # (9, C_out * C_in)
        square = taps.view(3, 3, *of_points.shape[1:])  # (3, 3, C_out, C_in)
        return square.permute(2, 3, 0, 1)  # (C_out, C_in, 3, 3)

    def _of_taps(self, like: Tensor) -> Tensor:
        """Return the filter's matrix for both axes: (points, 9)."""
        return torch.kron(like.new_tensor(self.vertical.of_taps), like.new_tensor(self.horizontal.of_taps))

    def samples(self, images: Tensor, block: Tensor, first: int = 0, phase: int = 0) -> Tensor:
        """Return the samples that some rows of tiles read, with zeros beyond the map.

        Args:
            images: (n, C_in, H, W).
            block: (n, rows, m, phases, columns, m', rate, C_out), the memory of these tiles' outputs.
            first: the block's first output, counted within its phase.
            phase: the block's first phase.

        Returns:
            (n, m * rows + 2 * before, phases, m' * columns + 2 * before', rate, C_in).
        """
        n, rows, m, phases, columns, m2, rate, _ = block.shape
        C, H, W = images.shape[1:]
        before, left = self.vertical.before, self.horizontal.before
        down, across = m * rows + 2 * before, m2 * columns + 2 * left
        samples = images.new_zeros(n, down * phases, across * rate, C)
        pixels = images.permute(0, 2, 3, 1)  # (n, H, W, C)
        # Rows that are neighbours in the map too are copied together.
        at_once = down * phases if phases == rate else phases
        for start in range(0, down * phases, at_once):
            top = (first - before + start // phases) * rate + phase  # the map's row for row `start`
            there = slice(max(0, top), max(0, min(H, top + at_once)))
            if there.start < there.stop:
                here = slice(start + there.start - top, start + there.stop - top)
                samples[:, here, left * rate : left * rate + W] = pixels[:, there]
        # Row `i` of the map is row i // phases of phase i % phases, and its columns likewise.
        return samples.view(n, down, phases, across, rate, C)

    def sum_samples(self, samples: Tensor, values: Tensor) -> None:
        """Turn the answer of `samples` into `values`, (n, rows, phases, columns, rate, points, points', C_in)."""
        n, rows, phases, columns, rate, P, _, C = values.shape
        across = samples.shape[3]  # samples along a row of a phase
        half = samples.new_empty(P, n, rows, phases, across, rate, C)
        # One (n, rows, phases, across, rate, C) for each sample of a tile's column.
        self.vertical.sum_samples(every(samples, 1, self.vertical, rows), half)
        # One (points, n, rows, phases, columns, rate, C) for each sample of a tile's row.
        along_rows = every(half, 4, self.horizontal, columns)
        by_point = values.permute(
            6, 5, 0, 1, 2, 3, 4, 7
        )  # (points', points, n, rows, phases, columns, rate, C)
        self.horizontal.sum_samples(along_rows, by_point)

    def sum_products(self, products: Tensor, outputs: Tensor) -> None:
        """Turn products, (points, points', n, rows, phases, columns, rate, C_out), into the tiles' outputs."""
        m = self.vertical.tile
        half = products.new_empty(
            m, *products.shape[1:]
        )  # (m, points', n, rows, phases, columns, rate, C_out)
        self.vertical.sum_products(products, half)
        by_output = outputs.permute(5, 2, 0, 1, 3, 4, 6, 7)  # (m', m, n, rows, phases, columns, rate, C_out)
        self.horizontal.sum_products(half.transpose(0, 1), by_output)

    def to_products(self, upstream: Tensor, rate: int) -> Tensor:
        """Apply the adjoint of `sum_products` to all tiles: (n, C_out, H, W) to (points, points', n, ..., C_out)."""
        n, C, H, W = upstream.shape
        outputs = self.empty_outputs(upstream, 0, (H, W), rate, C)
        _, rows, m, _, columns, m2, _, _ = outputs.shape
        below, right = rows * m * rate - H, columns * m2 * rate - W
        # (n, rows * m * rate, columns * m' * rate, C_out)
        padded = F.pad(upstream.permute(0, 2, 3, 1), (0, 0, 0, right, 0, below))
        tiles = padded.view(n, *outputs.shape[1:])  # (n, rows, m, rate, columns, m', rate, C_out)
        half = upstream.new_empty(self.vertical.points, n, rows, rate, columns, m2, rate, C)
        self.vertical.to_products(tiles.unbind(2), half)
        # (points', points, n, rows, rate, columns, rate, C_out)
        products = upstream.new_empty(self.horizontal.points, len(half), n, rows, rate, columns, rate, C)
        self.horizontal.to_products(half.unbind(5), products)
        return products.transpose(0, 1)

    def to_images(self, of_values: Tensor, size: tuple[int, int]) -> Tensor:
        """Apply the adjoint of `samples` and `sum_samples`: (points, points', n, ..., C_in) to (n, C_in, H, W)."""
        _, _, n, rows, rate, columns, _, C = of_values.shape
        before, left = self.vertical.before, self.horizontal.before
        down, across = self.vertical.tile * rows + 2 * before, self.horizontal.tile * columns + 2 * left
        half = of_values.new_zeros(len(of_values), n, rows, rate, across, rate, C)  # the first axis is points
        self.horizontal.to_samples(of_values.transpose(0, 1), every(half, 4, self.horizontal, columns))
        samples = of_values.new_zeros(n, down, rate, across, rate, C)
        self.vertical.to_samples(half, every(samples, 1, self.vertical, rows))
        whole = samples.view(n, down * rate, across * rate, C)  # the map with its margins
        H, W = size
        inner = whole[:, before * rate :, left * rate :][:, :H, :W]  # (n, H, W, C)
        return inner.permute(0, 3, 1, 2)


def direct_products(size: tuple[int, int], rate: int) -> int:
    """Return the products of the direct sum for each pair of channels, without those that meet the padding.

    Along an axis of n samples a 3-tap filter at a rate r below n has 3n - 2r.
    """
    H, W = (3 * side - 2 * min(rate, side) for side in size)
    return H * W


def every(samples: Tensor, axis: int, scheme: Scheme, tiles: int) -> list[Tensor]:
    """Return views along an axis: of the first sample of all tiles, of the second, and so on. Neighbours share some."""
    place: list[slice] = [slice(None)] * samples.ndim
    views = []
    for first in range(scheme.tile + 2 * scheme.before):
        place[axis] = slice(first, first + scheme.tile * (tiles - 1) + 1, scheme.tile)
        views.append(samples[tuple(place)])
    return views
