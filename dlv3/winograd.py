"""3×3 convolutions with fewer multiplications: Winograd's F(4×4, 3×3), for atrous rates too.

A tile of 4×4 outputs of a 3×3 filter takes 144 multiplications for each pair of channels. Seen as a product of
polynomials, evaluated at the points 0, 1, -1, 2, -2 and infinity, it takes 36 (Winograd 1980; for convolutional
networks Lavin and Gray 2016, section 4). What is left is 36 matrix products over the channels and cheap sums before
and after. An atrous convolution is an ordinary one on every rate-th sample (`atrous.split_phases`), so it is the same
here on a view of the map that has the phases as axes of their own.

In float32 the error is some 6e-6 of the largest output, against 1e-6 of the direct sum. `dlv3.folded` uses it on
CPUs, whose libraries sum directly; on GPUs cuDNN chooses by itself.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.packed import PackedWeights, fuses

TILE = 4  # outputs along each axis
POINTS = TILE + 2  # products along each axis
FILTER = (  # of a filter's three taps, at each point (Lavin and Gray's G)
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
MIN_CHANNELS = 128
"""With fewer channels the sums before and after cost more than the products save."""
MAX_SHARE = 0.65
"""Where tiles stick out of the map so far that more than this share of the products is left, nothing is gained."""
GEOMETRY = ((0, 0), (1, 1), (1, 1))  # of a 1×1 convolution: padding, stride, rate
WORKSPACE = 8 * 2**20  # bytes; larger blocks come from the system anew each time, page by page


def pays(in_channels: int, out_channels: int, size: tuple[int, int], rate: int) -> bool:
    """Whether it is the faster way for a map of this size: enough channels, and few tiles beyond its rim.

    Args:
        in_channels, out_channels: of the filter.
        size: (H, W) of the map.
        rate: atrous rate.
    """
    if min(in_channels, out_channels) < MIN_CHANNELS:
        return False
    products, direct = 1.0, 1.0  # along each axis, for all outputs
    for side in size:
        products *= _tiles(side, rate) * rate * POINTS
        direct *= 3 * side - 2 * min(rate, side)  # without those that meet the padding
    return products <= MAX_SHARE * direct


class WinogradFilter:
    """A 3×3 filter made ready for `convolve`.

    Args:
        weight: (C_out, C_in, 3, 3). The filter does not follow what is changed in it later.
    """

    def __init__(self, weight: Tensor) -> None:
        at_points = torch.tensor(FILTER, dtype=torch.float64, device=weight.device)
        values = torch.einsum("pk,ql,oikl->pqoi", at_points, at_points, weight.detach().double())
        self._values = values.flatten(0, 1).to(weight.dtype).contiguous()  # (36, C_out, C_in)
        self._made_of = weight
        self._packed = PackedWeights()

    def is_of(self, weight: Tensor) -> bool:
        """Whether it was made of this very tensor."""
        return self._made_of is weight

    def convolve(self, images: Tensor, rate: int = 1) -> Tensor:
        """The convolution at stride 1 that keeps the size, its padding zeros.

        Args:
            images: (N, C_in, H, W).
            rate: atrous rate.

        Returns:
            (N, C_out, H, W), channels last: a view of a larger tensor where the tiles stick out.
        """
        N, C, H, W = images.shape
        rows, columns = _tiles(H, rate), _tiles(W, rate)
        right, below = ((TILE * tiles + 1) * rate - side for tiles, side in ((columns, W), (rows, H)))
        padded = F.pad(images.permute(0, 2, 3, 1), (0, 0, rate, right, rate, below))
        padded = padded.view(N, TILE * rows + 2, rate, TILE * columns + 2, rate, C)
        out = images.new_empty(N, rows, TILE, rate, columns, TILE, rate, self._values.shape[1])
        of_row = POINTS**2 * rate * columns * rate * C * images.element_size()  # bytes
        some_images = _even_share(N, WORKSPACE // (of_row * rows))
        some_rows = _even_share(rows, WORKSPACE // of_row)
        for n in _starts(N, some_images):
            for y in _starts(rows, some_rows):
                block = padded[n : n + some_images, TILE * y : TILE * (y + some_rows) + 2]
                self._convolve_block(block, out[n : n + some_images, y : y + some_rows])
        whole = out.view(N, TILE * rows * rate, TILE * columns * rate, -1)
        return whole[:, :H, :W].permute(0, 3, 1, 2)

    def _convolve_block(self, block: Tensor, out: Tensor) -> None:
        """Some rows of tiles: (n, 4 rows + 2, rate, 4 columns + 2, rate, C_in) to out, of convolve's shape."""
        n, rows, _, rate, columns, _, _, _ = out.shape
        C = block.shape[-1]
        vertical = block.new_empty(POINTS, n, rows, rate, block.shape[3], rate, C)
        _transform_input(_every(block, 1, rows), vertical)
        values = block.new_empty(n, rows, rate, columns, rate, POINTS, POINTS, C)
        _transform_input(_every(vertical, 4, columns), values.permute(6, 5, 0, 1, 2, 3, 4, 7))
        products = self._multiply(values.view(-1, POINTS**2, C))  # (tiles, 36, C_out)
        products = products.view(n, rows, rate, columns, rate, POINTS, POINTS, -1)
        vertical = block.new_empty(TILE, POINTS, n, rows, rate, columns, rate, products.shape[-1])
        _transform_output(products.permute(5, 6, 0, 1, 2, 3, 4, 7), vertical)
        _transform_output(vertical.transpose(0, 1), out.permute(5, 2, 0, 1, 3, 4, 6, 7))

    def _multiply(self, values: Tensor) -> Tensor:
        """At each of the 36 points a matrix product over the channels: (tiles, 36, C_in) to (tiles, 36, C_out)."""
        if not fuses(values):
            return torch.einsum("tpi,poi->tpo", values, self._values)
        tiles, points, C = values.shape
        images = values.view(1, tiles, 1, points * C).permute(0, 3, 1, 2)  # a 1×1 convolution of 36 groups
        weight = self._values.view(-1, C, 1, 1)
        weight = self._packed.get(weight, images.shape, GEOMETRY, groups=points)
        products = torch.ops.mkldnn._convolution_pointwise(
            images, weight, None, *GEOMETRY, points, "none", [], ""
        )
        return products.permute(0, 2, 3, 1).view(tiles, points, -1)


def _even_share(count: int, most: int) -> int:
    """How many to take at once, at most `most` or 1, in as few goes as that allows and evenly."""
    goes = -(-count // max(1, most))
    return -(-count // goes)


def _starts(count: int, some: int) -> Iterator[int]:
    """Where each go begins. All are of one size, for which the filter is packed: the last may do some over."""
    return (min(first, count - some) for first in range(0, count, some))


def _tiles(side: int, rate: int) -> int:
    """Tiles along an axis, for each phase."""
    of_phase = -(-side // rate)
    return -(-of_phase // TILE)


def _every(samples: Tensor, axis: int, tiles: int) -> list[Tensor]:
    """The first sample of all tiles, the second, ... the sixth: neighbouring tiles share two."""
    place: list[slice] = [slice(None)] * samples.ndim
    views = []
    for first in range(POINTS):
        place[axis] = slice(first, first + TILE * (tiles - 1) + 1, TILE)
        views.append(samples[tuple(place)])
    return views


def _transform_input(samples: Sequence[Tensor], values: Tensor) -> None:
    """Along one axis, six samples of each tile to values at the points (Lavin and Gray's B transposed)."""
    d0, d1, d2, d3, d4, d5 = samples
    torch.add(d4, d2, alpha=-5, out=values[0]).add_(d0, alpha=4)
    torch.add(d5, d3, alpha=-5, out=values[5]).add_(d1, alpha=4)
    even, odd = torch.sub(d4, d2, alpha=4), torch.sub(d3, d1, alpha=4)
    torch.add(even, odd, out=values[1])
    torch.sub(even, odd, out=values[2])
    torch.sub(d4, d2, out=even)
    torch.sub(d3, d1, out=odd)
    torch.add(even, odd, alpha=2, out=values[3])
    torch.sub(even, odd, alpha=2, out=values[4])


def _transform_output(values: Tensor, outputs: Tensor) -> None:
    """Along one axis, products at the six points to four outputs of each tile (Lavin and Gray's A transposed)."""
    even, odd = values[1] + values[2], values[1] - values[2]
    even2, odd2 = values[3] + values[4], values[3] - values[4]
    torch.add(even, even2, alpha=4, out=outputs[2])
    torch.add(odd, odd2, alpha=2, out=outputs[1])
    torch.add(even.add_(values[0]), even2, out=outputs[0])
    torch.add(odd.add_(values[5]), odd2, alpha=8, out=outputs[3])
