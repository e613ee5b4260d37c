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
from functools import cache
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.fast.short_convolutions import TILES, Matrix, Scheme, scheme_for


@dataclass(frozen=True)
class Tiling:
    """A scheme for each axis. A scheme of `WHOLE` needs phases of at most the tile's length."""

    vertical: Scheme
    horizontal: Scheme

    @classmethod
    def of(cls, size: tuple[int, int], rate: int, largest: int = TILES[-1]) -> Self:
        """Return the tiling for a map of (H, W): for both axes the scheme of that which wants the larger tiles.

        So a filter is made ready for few tilings, whatever the shapes of the maps.

        Args:
            size: (H, W).
            rate: atrous rate.
            largest: the most outputs of a tile along an axis, one of `short_convolutions.TILES`.
        """
        schemes = (scheme_for(side, rate, largest) for side in size)
        scheme = max(schemes, key=lambda scheme: (scheme.tile, scheme.before))
        return cls(scheme, scheme)

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
        at_points = self._of_taps(weight.dtype) @ taps  # (points, C_out * C_in)
        return at_points.view(-1, *weight.shape[:2])  # (points, C_out, C_in)

    def to_taps(self, of_points: Tensor) -> Tensor:
        """Apply the adjoint of `at_points`: (points, C_out, C_in) to (C_out, C_in, 3, 3)."""
        taps = self._of_taps(of_points.dtype).t() @ of_points.flatten(1)  # (9, C_out * C_in)
        square = taps.view(3, 3, *of_points.shape[1:])  # (3, 3, C_out, C_in)
        return square.permute(2, 3, 0, 1)  # (C_out, C_in, 3, 3)

    # The matrices for both axes at once.

    def _of_samples(self, dtype: torch.dtype) -> Tensor:
        """(points, samples of a tile)."""
        return _kronecker(self.vertical.of_samples, self.horizontal.of_samples, dtype)

    def _of_taps(self, dtype: torch.dtype) -> Tensor:
        """(points, 9)."""
        return _kronecker(self.vertical.of_taps, self.horizontal.of_taps, dtype)

    def _of_products(self, dtype: torch.dtype) -> Tensor:
        """(outputs of a tile, points)."""
        return _kronecker(self.vertical.of_products, self.horizontal.of_products, dtype)

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
        """Turn the answer of `samples` into `values`, (tiles, points, C_in); tiles in the order of its axes."""
        down = samples.unfold(1, self.vertical.samples, self.vertical.tile)
        # (n, rows, phases, columns, rate, C_in, samples down, samples across); neighbours share some
        windows = down.unfold(3, self.horizontal.samples, self.horizontal.tile)
        by_tile = windows.permute(0, 1, 2, 3, 4, 6, 7, 5).reshape(len(values), -1, values.shape[-1])
        torch.bmm(_for_each(by_tile, self._of_samples(values.dtype)), by_tile, out=values)

    def sum_products(self, products: Tensor, outputs: Tensor) -> None:
        """Turn products, (tiles, points, C_out), into the outputs, (n, rows, m, phases, columns, m', rate, C_out)."""
        n, rows, m, phases, columns, m2, rate, C = outputs.shape
        # (tiles, m * m', C_out)
        by_tile = torch.bmm(_for_each(products, self._of_products(products.dtype)), products)
        outputs.copy_(by_tile.view(n, rows, phases, columns, rate, m, m2, C).permute(0, 1, 5, 2, 3, 6, 4, 7))

    def to_products(self, upstream: Tensor, rate: int) -> Tensor:
        """Apply the adjoint of `sum_products` to all tiles: (n, C_out, H, W) to (tiles, points, C_out)."""
        n, C, H, W = upstream.shape
        m, m2 = self.vertical.tile, self.horizontal.tile
        rows, columns = self.tiles((H, W), rate)
        below, right = rows * m * rate - H, columns * m2 * rate - W
        # (n, rows * m * rate, columns * m' * rate, C_out)
        padded = F.pad(upstream.permute(0, 2, 3, 1), (0, 0, 0, right, 0, below))
        outputs = padded.view(n, rows, m, rate, columns, m2, rate, C)
        by_tile = outputs.permute(0, 1, 3, 4, 6, 2, 5, 7).reshape(-1, m * m2, C)  # (tiles, m * m', C_out)
        return torch.bmm(_for_each(by_tile, self._of_products(upstream.dtype).t()), by_tile)

    def to_images(self, of_values: Tensor, shape: torch.Size, rate: int) -> Tensor:
        """Apply the adjoint of `samples` and `sum_samples` to all tiles.

        Args:
            of_values: (tiles, points, C_in).
            shape: (n, C_in, H, W) of the images.
            rate: atrous rate.

        Returns:
            (n, C_in, H, W).
        """
        n, C, H, W = shape
        rows, columns = self.tiles((H, W), rate)
        m, before = self.vertical.tile, self.vertical.before
        m2, left = self.horizontal.tile, self.horizontal.before
        by_tile = torch.bmm(_for_each(of_values, self._of_samples(of_values.dtype).t()), of_values)
        by_window = by_tile.view(n, rows, rate, columns, rate, m + 2 * before, m2 + 2 * left, C)
        # (n, rows, down, rate, columns, across, rate, C_in)
        of_windows = by_window.permute(0, 1, 5, 2, 3, 6, 4, 7)
        # The samples of a tile that are its neighbour's too are the neighbour's first.
        whole = of_values.new_zeros(n, rows + 1, m, rate, columns + 1, m2, rate, C)
        for first_row, down in ((0, slice(m)), (1, slice(m, None))):
            for first_column, across in ((0, slice(m2)), (1, slice(m2, None))):
                part = of_windows[:, :, down, :, :, across]
                there = whole[:, first_row : first_row + rows, : part.shape[2]]
                there[:, :, :, :, first_column : first_column + columns, : part.shape[5]] += part
        margins = whole.flatten(4, 6).flatten(1, 3)  # (n, down, across, C_in), the map with its margins
        inner = margins[:, before * rate :, left * rate :][:, :H, :W]  # (n, H, W, C_in)
        return inner.permute(0, 3, 1, 2)


@cache
def _kronecker(vertical: Matrix, horizontal: Matrix, dtype: torch.dtype) -> Tensor:
    # Made in torch.inference_mode it could not be used outside.
    with torch.inference_mode(False):
        return torch.kron(torch.tensor(vertical, dtype=dtype), torch.tensor(horizontal, dtype=dtype))


def _for_each(tiles: Tensor, matrix: Tensor) -> Tensor:
    """Return the matrix once for each tile, without a copy."""
    return matrix.expand(len(tiles), -1, -1)


def direct_products(size: tuple[int, int], rate: int) -> int:
    """Return the products of the direct sum for each pair of channels, without those that meet the padding.

    Along an axis of n samples a 3-tap filter at a rate r below n has 3n - 2r.
    """
    H, W = (3 * side - 2 * min(rate, side) for side in size)
    return H * W
