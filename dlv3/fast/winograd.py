"""3×3 convolutions with fewer multiplications: Winograd's short convolutions along both axes, atrous ones too.

A tile of 2 outputs along one axis needs 3 products instead of 4 where it stands between zeros: of the samples a, b and
the taps u, v, w, with p = v (a + b), q = (w - v) b, r = (u - v) a, the outputs are

    p + q = v a + w b,  p + r = u a + v b

Along both axes a tile of 2×2 outputs needs 9 products instead of 16, and a tile of 6×6 with neighbours 64 instead of
324 (`dlv3.fast.short_convolutions`). What remains is a matrix product over the channels for each pair of points, and
cheap sums before and after it.

An atrous convolution is an ordinary one on every rate-th sample (`atrous.split_phases`), so the same identity holds on
a view of the map with the phases as axes of their own. At rate 2 the row 1, 5, 2, 7 has the phases 1, 2 and 5, 7, and
with the taps 3, 4, 5 the three products of each are

    1, 2:  4 * 3 = 12,  1 * 2 = 2,  -1 * 1 = -1,  outputs 14, 11
    5, 7:  4 * 12 = 48,  1 * 7 = 7,  -1 * 5 = -5,  outputs 55, 43

so that the outputs of the row are 14, 55, 11, 43. At a large rate a phase is short, with nothing but padding
beside it: on the 33×33 map of a 513×513 image, phases at ASPP's second and third rate have three and two samples.

In float32 the error is up to 6e-5 of the largest output, against 2e-6 for the direct sum. `dlv3.fast.folded` uses this
on CPUs, whose libraries sum directly; on GPUs cuDNN chooses by itself.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from threading import Lock

import torch
from torch import Tensor

from dlv3.fast import onednn
from dlv3.fast.onednn import Geometry, fuses
from dlv3.fast.packed import COPIES, PackedWeights, values_of
from dlv3.fast.tiling import Tiling, direct_products

MAX_SHARE = 0.85
"""`pays` leaves gains of less than a sixth, by its estimate, to the direct sum."""
SUMS = 100
"""Cost of the sums before and after, in multiplications, for each channel and product."""
READING = 6
"""Cost of reading a filter's value from memory, once for each block, in multiplications."""
GEOMETRY: Geometry = ((0, 0), (1, 1), (1, 1))  # of a 1×1 convolution: padding, stride, rate
WORKSPACE = 8 * 2**20
"""Bytes of a block. The system hands out larger ones page by page at each call."""
BLOCKS = (12, 16, 20, 24, 28, 36, 48, 60)
"""The numbers of tiles that a block may have; it is filled up with zeros to the next one. oneDNN's layout of the filter
depends on the number, so that it has to be tried for each. With larger blocks it is another one on some processors, and
each filter would be kept twice."""


def pays(in_channels: int, out_channels: int, size: tuple[int, int], rate: int) -> bool:
    """Tell whether it is faster for a map of this size.

    It is with enough channels, few tiles beyond the map's rim, and so many of them that the filter, which has up to
    seven times as many values as the plain one, is worth its reading.

    Args:
        in_channels, out_channels: of the filter.
        size: (H, W) of the map.
        rate: atrous rate.
    """
    tiling = Tiling.of(size, rate)
    products = tiling.products(size, rate)
    blocks = -(-products // (tiling.points * BLOCKS[-1]))
    pairs = in_channels * out_channels
    ours = products * (pairs + SUMS * (in_channels + out_channels)) + READING * blocks * tiling.points * pairs
    theirs = (direct_products(size, rate) + READING * 9) * pairs
    return rate < min(size) and ours <= MAX_SHARE * theirs


class WinogradFilter:
    """A 3×3 filter made ready for `convolve`.

    Args:
        weight: (C_out, C_in, 3, 3). Changes to it after the first convolution have no effect.
        tiling: the tiling to prepare it for.
    """

    def __init__(self, weight: Tensor, tiling: Tiling) -> None:
        self.tiling = tiling
        self._weight = weight.detach()
        self._packed = PackedWeights()

    def convolve(self, images: Tensor, rate: int = 1) -> Tensor:
        """Convolve at stride 1 with the zero padding that keeps the map's size.

        Args:
            images: (N, C_in, H, W).
            rate: atrous rate.

        Returns:
            (N, C_out, H, W), channels last: a view of a larger tensor where the tiles reach beyond the map.
        """
        N, C, H, W = images.shape
        rows, columns = self.tiling.tiles((H, W), rate)
        out = self.tiling.empty_outputs(images, N, (H, W), rate, len(self._weight))
        bytes_of_tile = self.tiling.points * C * images.element_size()
        most = min(BLOCKS[-1], max(BLOCKS[0], WORKSPACE // bytes_of_tile))
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
        # (N, rows, m, rate, columns, m', rate, C_out) to (N, rows * m * rate, columns * m' * rate, C_out)
        whole = out.flatten(4, 6).flatten(1, 3)
        return whole[:, :H, :W].permute(0, 3, 1, 2)  # (N, C_out, H, W)

    def _convolve_block(self, samples: Tensor, out: Tensor) -> None:
        """Compute some tiles' outputs, (n, rows, m, phases, columns, m', rate, C_out), from their samples."""
        n, rows, _, phases, columns, _, rate, _ = out.shape
        tiles = n * rows * phases * columns * rate
        values = samples.new_empty(_filled_up(tiles), self.tiling.points, samples.shape[-1])
        values[tiles:] = 0
        self.tiling.sum_samples(samples, values[:tiles])
        self.tiling.sum_products(self._multiply(values)[:tiles], out)

    def _multiply(self, values: Tensor) -> Tensor:
        """Multiply over the channels at each pair of points: (tiles, points, C_in) to (tiles, points, C_out)."""
        if not fuses(values):
            return torch.einsum("tpi,poi->tpo", values, self.tiling.at_points(self._weight))
        tiles, points, C = values.shape
        # The same as a 1×1 convolution in groups, one for each pair of points, on a map of (tiles, 1).
        images = values.view(1, tiles, 1, points * C).permute(0, 3, 1, 2)  # (1, points * C_in, tiles, 1)
        weight = self._packed.get(self._at_points, images.shape, GEOMETRY, groups=points, from_copy=True)
        # (1, points * C_out, tiles, 1)
        products = onednn.convolve(images, weight, None, GEOMETRY, groups=points)
        rows = products.permute(0, 2, 3, 1)  # (1, tiles, 1, points * C_out)
        return rows.view(tiles, points, -1)  # (tiles, points, C_out)

    def _at_points(self) -> Tensor:
        """Return the filter at the points: (points * C_out, C_in, 1, 1)."""
        at_points = self.tiling.at_points(self._weight)  # (points, C_out, C_in)
        return at_points.view(-1, self._weight.shape[1], 1, 1)


class WinogradFilters:
    """One convolution's filter, made ready for the tilings that it meets; the last `COPIES` of them are kept.

    Several threads may use it, as with `PackedWeights`. A deep copy or a pickle of it is empty and fills itself again.
    """

    def __init__(self) -> None:
        self._filters: OrderedDict[tuple[Tiling, Hashable], WinogradFilter] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._filters)

    def __deepcopy__(self, memo: dict[int, object]) -> "WinogradFilters":
        return WinogradFilters()

    def __reduce__(self) -> tuple[type["WinogradFilters"], tuple[()]]:
        return WinogradFilters, ()

    def get(self, weight: Tensor, size: tuple[int, int], rate: int) -> WinogradFilter:
        """Return the filter for a map.

        Args:
            weight: (C_out, C_in, 3, 3); another tensor, or one that was changed in place, has filters of its own.
            size: (H, W) of the map.
            rate: atrous rate.
        """
        tiling = Tiling.of(size, rate)
        key = (tiling, values_of(weight))
        with self._lock:
            if key not in self._filters:
                self._filters[key] = WinogradFilter(weight, tiling)
                if len(self._filters) > COPIES:
                    self._filters.popitem(last=False)
            self._filters.move_to_end(key)
            return self._filters[key]


def _even_share(count: int, most: int) -> int:
    """Return the size of a part when `count` is divided evenly into the fewest parts of at most `most`, or of 1."""
    parts = -(-count // max(1, most))
    return -(-count // parts)


def _starts(count: int, some: int) -> Iterator[int]:
    """Yield the first index of each part. All parts have `some` entries: the last may overlap the one before it."""
    return (min(first, count - some) for first in range(0, count, some))


def _filled_up(tiles: int) -> int:
    """Return the smallest of `BLOCKS` that is large enough; for a longer row of tiles a multiple of the first."""
    return next((number for number in BLOCKS if number >= tiles), -(-tiles // BLOCKS[0]) * BLOCKS[0])
