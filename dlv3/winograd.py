"""3×3 convolutions with fewer multiplications: Winograd's short convolutions along both axes, for atrous rates too.

With 8 products for 6 outputs along an axis (`dlv3.short_convolutions`) it is 64 instead of 324 along both. What is left
is a matrix product over the channels for each pair of points and cheap sums before and after.

An atrous convolution is an ordinary one on every rate-th sample (`atrous.split_phases`), so it is the same here on a
view of the map that has the phases as axes of their own. Where the rate is large a phase is short and beside it is
padding only: ASPP's second and third rate have phases of three and two samples on the map of the paper's 513 pixels.

In float32 the error is up to 6e-5 of the largest output, against 2e-6 of the direct sum. `dlv3.folded` uses it on
CPUs, whose libraries sum directly; on GPUs cuDNN chooses by itself.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from dlv3.packed import PackedWeights, fuses
from dlv3.short_convolutions import Scheme, scheme_for

MAX_SHARE = 0.85
"""Gains of less than a sixth, by the estimate of `pays`, are left to the direct sum."""
SUMS = 100
"""What the sums before and after cost for each channel and product, in multiplications."""
GEOMETRY = ((0, 0), (1, 1), (1, 1))  # of a 1×1 convolution: padding, stride, rate
WORKSPACE = 8 * 2**20  # bytes; larger blocks come from the system anew each time, page by page
MANY_TILES = 144
TILES_STEP = 12
"""The filter is packed for each number of tiles at once: the multiples of this up to `MANY_TILES`, or near it."""


def pays(in_channels: int, out_channels: int, size: tuple[int, int], rate: int) -> bool:
    """Whether it is the faster way for a map of this size: enough channels, and few tiles beyond its rim.

    Args:
        in_channels, out_channels: of the filter.
        size: (H, W) of the map.
        rate: atrous rate.
    """
    products, direct = 1.0, 1.0  # along each axis, for all outputs
    for side in size:
        scheme = scheme_for(side, rate)
        products *= -(-side // (rate * scheme.tile)) * rate * scheme.points
        direct *= 3 * side - 2 * min(rate, side)  # without those that meet the padding
    of_channels = in_channels * out_channels
    with_sums = of_channels + SUMS * (in_channels + out_channels)
    return rate < min(size) and products * with_sums <= MAX_SHARE * direct * of_channels


class WinogradFilter:
    """A 3×3 filter made ready for `convolve`.

    Args:
        weight: (C_out, C_in, 3, 3). The filter does not follow what is changed in it later.
        vertical, horizontal: a scheme for each axis.
    """

    def __init__(self, weight: Tensor, vertical: Scheme, horizontal: Scheme) -> None:
        self.vertical, self.horizontal = vertical, horizontal
        self._weight = weight.detach()
        self._packed = PackedWeights()

    def at_points(self) -> Tensor:
        """The filter's part of the products: (points, C_out, C_in)."""
        vertical, horizontal = (
            torch.tensor(s.of_taps, dtype=self._weight.dtype) for s in (self.vertical, self.horizontal)
        )
        C_out, C_in = self._weight.shape[:2]
        taps = self._weight.permute(2, 3, 0, 1).reshape(9, -1)
        return (torch.kron(vertical, horizontal) @ taps).view(-1, C_out, C_in)

    def convolve(self, images: Tensor, rate: int = 1) -> Tensor:
        """The convolution at stride 1 that keeps the size, its padding zeros.

        Args:
            images: (N, C_in, H, W).
            rate: atrous rate; a phase must not be longer than the tile of a scheme that is `WHOLE`.

        Returns:
            (N, C_out, H, W), channels last: a view of a larger tensor where the tiles stick out.
        """
        N, C, H, W = images.shape
        m, m2 = self.vertical.tile, self.horizontal.tile
        rows, columns = -(-H // (rate * m)), -(-W // (rate * m2))  # of tiles, for each phase
        out = images.new_empty(N, rows, m, rate, columns, m2, rate, len(self._weight))
        of_tile = self.vertical.points * self.horizontal.points * C * images.element_size()  # bytes
        most = min(MANY_TILES, max(TILES_STEP, WORKSPACE // of_tile))
        phases = _even_share(rate, most // (columns * rate))
        some_rows = _even_share(rows, most // (columns * rate * rate))
        some_images = _even_share(N, most // (columns * rate * rate * rows))
        for n in _starts(N, some_images):
            for y in _starts(rows, some_rows):
                for phase in _starts(rate, phases):
                    block = out[n : n + some_images, y : y + some_rows, :, phase : phase + phases]
                    samples = self._samples(images[n : n + some_images], m * y, phase, block)
                    self._convolve_block(samples, block)
        whole = out.view(N, rows * m * rate, columns * m2 * rate, -1)
        return whole[:, :H, :W].permute(0, 3, 1, 2)

    def _samples(self, images: Tensor, first: int, phase: int, block: Tensor) -> Tensor:
        """What some rows of tiles look at, zeros where they look beyond the map.

        Args:
            images: (n, C_in, H, W).
            first: output of its phase that the block begins with.
            phase: first phase of the block.
            block: (n, rows, m, phases, columns, m', rate, C_out), where the outputs belong.

        Returns:
            (n, m · rows + 2 · before, phases, m' · columns + 2 · before', rate, C_in).
        """
        n, rows, m, phases, columns, m2, rate, _ = block.shape
        C, H, W = images.shape[1:]
        before, left = self.vertical.before, self.horizontal.before
        down, across = m * rows + 2 * before, m2 * columns + 2 * left
        samples = images.new_zeros(n, down * phases, across * rate, C)
        at_once = down * phases if phases == rate else phases  # rows that are neighbours in the map too
        for start in range(0, down * phases, at_once):
            top = (first - before + start // phases) * rate + phase  # in the map
            there = slice(max(0, top), max(0, min(H, top + at_once)))
            if there.start < there.stop:
                here = slice(start + there.start - top, start + there.stop - top)
                samples[:, here, left * rate : left * rate + W] = images[:, :, there].permute(0, 2, 3, 1)
        return samples.view(n, down, phases, across, rate, C)

    def _convolve_block(self, samples: Tensor, out: Tensor) -> None:
        """From `_samples`'s answer to the outputs of these tiles, (n, rows, m, phases, columns, m', rate, C_out)."""
        n, rows, m, phases, columns, _, rate, _ = out.shape
        P, P2, C = self.vertical.points, self.horizontal.points, samples.shape[-1]
        vertical = samples.new_empty(P, n, rows, phases, samples.shape[3], rate, C)
        self.vertical.sum_samples(_every(samples, 1, self.vertical, rows), vertical)
        tiles = n * rows * phases * columns * rate
        values = samples.new_empty(_rounded_up(tiles), P * P2, C)
        values[tiles:] = 0
        per_tile = values[:tiles].view(n, rows, phases, columns, rate, P, P2, C)
        along_rows = _every(vertical, 4, self.horizontal, columns)
        self.horizontal.sum_samples(along_rows, per_tile.permute(6, 5, 0, 1, 2, 3, 4, 7))
        products = self._multiply(values)[:tiles].view(n, rows, phases, columns, rate, P, P2, -1)
        vertical = samples.new_empty(m, P2, n, rows, phases, columns, rate, products.shape[-1])
        self.vertical.sum_products(products.permute(5, 6, 0, 1, 2, 3, 4, 7), vertical)
        self.horizontal.sum_products(vertical.transpose(0, 1), out.permute(5, 2, 0, 1, 3, 4, 6, 7))

    def _multiply(self, values: Tensor) -> Tensor:
        """For each pair of points a matrix product over channels: (tiles, points, C_in) to (tiles, points, C_out)."""
        if not fuses(values):
            return torch.einsum("tpi,poi->tpo", values, self.at_points())
        tiles, points, C = values.shape
        images = values.view(1, tiles, 1, points * C).permute(
            0, 3, 1, 2
        )  # a 1×1 convolution of so many groups
        weight = self._packed.get(
            lambda: self.at_points().view(-1, C, 1, 1), images.shape, GEOMETRY, groups=points
        )
        products = torch.ops.mkldnn._convolution_pointwise(
            images, weight, None, *GEOMETRY, points, "none", [], ""
        )
        return products.permute(0, 2, 3, 1).view(tiles, points, -1)


def _even_share(count: int, most: int) -> int:
    """How many to take at once, at most `most` or 1, in as few goes as that allows and evenly."""
    goes = -(-count // max(1, most))
    return -(-count // goes)


def _starts(count: int, some: int) -> Iterator[int]:
    """Where each go begins. All are of one size: the last may do some over."""
    return (min(first, count - some) for first in range(0, count, some))


def _rounded_up(tiles: int) -> int:
    return -(-tiles // TILES_STEP) * TILES_STEP


def _every(samples: Tensor, axis: int, scheme: Scheme, tiles: int) -> list[Tensor]:
    """The first sample of all tiles, the second, and so on: neighbouring tiles share some."""
    place: list[slice] = [slice(None)] * samples.ndim
    views = []
    for first in range(scheme.tile + 2 * scheme.before):
        place[axis] = slice(first, first + scheme.tile * (tiles - 1) + 1, scheme.tile)
        views.append(samples[tuple(place)])
    return views
