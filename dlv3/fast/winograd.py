"""3×3 convolutions with fewer multiplications: Winograd's short convolutions along both axes, for atrous rates too.

With 8 products for 6 outputs along an axis (`dlv3.fast.short_convolutions`) it is 64 instead of 324 along both. What is
left is a matrix product over the channels for each pair of points and cheap sums before and after.

An atrous convolution is an ordinary one on every rate-th sample (`atrous.split_phases`), so it is the same here on a
view of the map that has the phases as axes of their own. Where the rate is large a phase is short and beside it is
padding only: ASPP's second and third rate have phases of three and two samples on the map of the paper's 513 pixels.

In float32 the error is up to 6e-5 of the largest output, against 2e-6 of the direct sum. `dlv3.fast.folded` uses it on
CPUs, whose libraries sum directly; on GPUs cuDNN chooses by itself.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from dlv3.fast.packed import PackedWeights, fuses
from dlv3.fast.tiling import Tiling, direct_products

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
    products = Tiling.of(size, rate).products(size, rate)
    of_channels = in_channels * out_channels
    with_sums = of_channels + SUMS * (in_channels + out_channels)
    return rate < min(size) and products * with_sums <= MAX_SHARE * direct_products(size, rate) * of_channels


class WinogradFilter:
    """A 3×3 filter made ready for `convolve`.

    Args:
        weight: (C_out, C_in, 3, 3). The filter does not follow what is changed in it later.
        tiling: that it is made for.
    """

    def __init__(self, weight: Tensor, tiling: Tiling) -> None:
        self.tiling = tiling
        self._weight = weight.detach()
        self._packed = PackedWeights()

    def convolve(self, images: Tensor, rate: int = 1) -> Tensor:
        """The convolution at stride 1 that keeps the size, its padding zeros.

        Args:
            images: (N, C_in, H, W).
            rate: atrous rate.

        Returns:
            (N, C_out, H, W), channels last: a view of a larger tensor where the tiles stick out.
        """
        N, C, H, W = images.shape
        rows, columns = self.tiling.tiles((H, W), rate)
        out = self.tiling.empty_outputs(images, N, (H, W), rate, len(self._weight))
        of_tile = self.tiling.points * C * images.element_size()  # bytes
        most = min(MANY_TILES, max(TILES_STEP, WORKSPACE // of_tile))
        phases = _even_share(rate, most // (columns * rate))
        some_rows = _even_share(rows, most // (columns * rate * rate))
        some_images = _even_share(N, most // (columns * rate * rate * rows))
        for n in _starts(N, some_images):
            for y in _starts(rows, some_rows):
                for phase in _starts(rate, phases):
                    block = out[n : n + some_images, y : y + some_rows, :, phase : phase + phases]
                    first = y * self.tiling.vertical.tile
                    samples = self.tiling.samples(images[n : n + some_images], block, first, phase)
                    self._convolve_block(samples, block)
        return out.flatten(4, 6).flatten(1, 3)[:, :H, :W].permute(0, 3, 1, 2)

    def _convolve_block(self, samples: Tensor, out: Tensor) -> None:
        """From some tiles' samples to their outputs, (n, rows, m, phases, columns, m', rate, C_out)."""
        n, rows, _, phases, columns, _, rate, _ = out.shape
        tiles = n * rows * phases * columns * rate
        values = samples.new_empty(_rounded_up(tiles), self.tiling.points, samples.shape[-1])
        values[tiles:] = 0
        P, P2 = self.tiling.vertical.points, self.tiling.horizontal.points
        shape = (n, rows, phases, columns, rate, P, P2, -1)
        self.tiling.sum_samples(samples, values[:tiles].view(shape))
        products = self._multiply(values)[:tiles].view(shape)
        self.tiling.sum_products(products.permute(5, 6, 0, 1, 2, 3, 4, 7), out)

    def _multiply(self, values: Tensor) -> Tensor:
        """For each pair of points a matrix product over channels: (tiles, points, C_in) to (tiles, points, C_out)."""
        if not fuses(values):
            return torch.einsum("tpi,poi->tpo", values, self.tiling.at_points(self._weight))
        tiles, points, C = values.shape
        images = values.view(1, tiles, 1, points * C).permute(0, 3, 1, 2)  # of a 1×1 convolution in groups
        weight = self._packed.get(self._at_points, images.shape, GEOMETRY, groups=points)
        products = torch.ops.mkldnn._convolution_pointwise(
            images, weight, None, *GEOMETRY, points, "none", [], ""
        )
        return products.permute(0, 2, 3, 1).view(tiles, points, -1)

    def _at_points(self) -> Tensor:
        return self.tiling.at_points(self._weight).view(-1, self._weight.shape[1], 1, 1)


def _even_share(count: int, most: int) -> int:
    """How many to take at once, at most `most` or 1, in as few goes as that allows and evenly."""
    goes = -(-count // max(1, most))
    return -(-count // goes)


def _starts(count: int, some: int) -> Iterator[int]:
    """Where each go begins. All are of one size: the last may do some over."""
    return (min(first, count - some) for first in range(0, count, some))


def _rounded_up(tiles: int) -> int:
    return -(-tiles // TILES_STEP) * TILES_STEP
