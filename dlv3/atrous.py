"""Atrous convolution (section 3.1): the arithmetic, the polyphase identity, and the layer.

Equation 1 of the paper, for one output position i:

    y[i] = sum over k of x[i + rate * k] w[k]

At a rate of r, neighbouring taps of the filter read input samples that lie r apart, as if r - 1 zeros stood between
the weights. Rate 1 is ordinary convolution. The number of weights does not depend on the rate; the part of the input
that one output sees does. `dlv3.resnet` turns a network's strides into rates.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.fields import require_whole


def effective_kernel_size(kernel_size: int, rate: int) -> int:
    """Return the side of the input window that one output spans: k + (k - 1)(rate - 1).

    Args:
        kernel_size: taps along one axis, at least 1.
        rate: atrous rate, at least 1.

    Returns:
        The effective kernel size in input samples, such as 13 for a kernel of 7 at rate 2. (Section 3.1 describes
        the filter; the formula is from DeepLabv2, Chen et al. 2016.)

    Raises:
        ValueError: an argument is not a whole number of at least 1.
    """
    require_whole("kernel_size", kernel_size)
    require_whole("rate", rate)
    return kernel_size + (kernel_size - 1) * (rate - 1)


def same_padding(kernel_size: int, rate: int) -> int:
    """Return the padding at each end with which a stride-1 convolution keeps its input's size.

    Args:
        kernel_size: taps along one axis; odd, because an even kernel has no such symmetric padding.
        rate: atrous rate, at least 1.

    Returns:
        rate * (kernel_size - 1) / 2, in input samples. A 3-tap kernel's padding is its rate.

    Raises:
        ValueError: the kernel is even, or an argument is not a whole number of at least 1.
    """
    effective = effective_kernel_size(kernel_size, rate)
    if kernel_size % 2 == 0:
        raise ValueError(f"kernel_size={kernel_size}: only an odd kernel has a padding that keeps the size")
    return (effective - 1) // 2


def output_size(size: int, kernel_size: int, rate: int, stride: int = 1, padding: int = 0) -> int:
    """Return the number of outputs of a convolution along one axis: floor((n + 2p - k_e) / s) + 1.

    Args:
        size: input samples along the axis, at least 1.
        kernel_size: taps along the axis, at least 1.
        rate: atrous rate, at least 1.
        stride: input samples between neighbouring outputs, at least 1.
        padding: zeros added at each end, at least 0.

    Returns:
        The output's size, at least 1.

    Raises:
        ValueError: an argument is out of range, or the effective kernel does not fit into the padded input.
    """
    for name, value, minimum in (("size", size, 1), ("stride", stride, 1), ("padding", padding, 0)):
        require_whole(name, value, minimum)
    effective = effective_kernel_size(kernel_size, rate)
    if effective > size + 2 * padding:
        raise ValueError(
            f"size={size} with padding={padding} holds {size + 2 * padding} samples, but kernel_size={kernel_size} "
            f"at rate={rate} spans {effective}: lower the rate, or pad by at least {-(-(effective - size) // 2)}"
        )
    return (size + 2 * padding - effective) // stride + 1


def valid_weight_shares(size: int, rate: int) -> dict[int, float]:
    """Return how often 9, 6, 4, 2 or 1 of a 3×3 filter's weights meet the map, not its padding (section 3.3, Fig. 4).

    Along one axis of n samples, a3 = max(0, n - 2r) positions have all three taps on the map,
    a1 = min(n, max(0, 2r - n)) have only the centre tap, and a2 = n - a3 - a1 have two. The two axes are
    independent. No position has three valid weights, because a3 and a1 are never both positive.

    Args:
        size: side n of the square feature map, at least 1.
        rate: atrous rate r, at least 1.

    Returns:
        The share of the map's positions with 9, 6, 4, 2 and 1 valid weights; the shares sum to 1.

    Raises:
        ValueError: an argument is not a whole number of at least 1.
    """
    require_whole("size", size)
    require_whole("rate", rate)
    three = max(0, size - 2 * rate)
    one = min(size, max(0, 2 * rate - size))
    two = size - three - one
    counts = {9: three * three, 6: 2 * three * two, 4: two * two, 2: 2 * two * one, 1: one * one}
    return {weights: count / size**2 for weights, count in counts.items()}


def count_valid_weights(size: int, rate: int) -> Tensor:
    """Count the weights of a 3×3 filter that meet the map, at each position (Fig. 4 as a picture).

    Args:
        size: side n of the square feature map, at least 1.
        rate: atrous rate, at least 1.

    Returns:
        (size, size) whole numbers among 9, 6, 4, 2, 1.
    """
    require_whole("size", size)
    require_whole("rate", rate)
    ones = torch.ones(1, 1, 1, size, dtype=torch.float64)
    taps = F.conv2d(ones, torch.ones(1, 1, 1, 3, dtype=torch.float64), padding=(0, rate), dilation=(1, rate))
    per_axis = taps.flatten().long()  # (size,)
    return per_axis[:, None] * per_axis[None, :]


def split_phases(images: Tensor, rate: int) -> Tensor:
    """Split an image into rate² smaller ones: phase (i, j) holds the samples [i::rate, j::rate].

    Args:
        images: (N, C, H, W). A side that is not a multiple of the rate is padded with zeros.
        rate: atrous rate, at least 1.

    Returns:
        (N * rate², C, ceil(H/rate), ceil(W/rate)); the phases of one image are next to each other.
    """
    require_whole("rate", rate)
    N, C, H, W = images.shape
    images = F.pad(images, (0, -W % rate, 0, -H % rate))
    h, w = images.shape[2] // rate, images.shape[3] // rate
    phases = images.reshape(N, C, h, rate, w, rate).permute(0, 3, 5, 1, 2, 4)  # (N, rate, rate, C, h, w)
    return phases.reshape(N * rate * rate, C, h, w)


def join_phases(phases: Tensor, rate: int, size: tuple[int, int]) -> Tensor:
    """Join the phases of `split_phases` into one image again, without the padding.

    Args:
        phases: (N * rate², C, h, w).
        rate: the rate that the image was split by.
        size: (H, W) of the whole image, at most (h * rate, w * rate).

    Returns:
        (N, C, H, W).
    """
    require_whole("rate", rate)
    (count, C, h, w), (H, W) = phases.shape, size
    by_phase = phases.reshape(count // rate**2, rate, rate, C, h, w)
    images = by_phase.permute(0, 3, 4, 1, 5, 2)  # (N, C, h, rate, w, rate)
    return images.reshape(-1, C, h * rate, w * rate)[:, :, :H, :W]


def atrous_conv2d_by_phases(images: Tensor, weight: Tensor, rate: int) -> Tensor:
    """Compute an atrous convolution as rate² ordinary convolutions on interleaved samples.

    A tap never leaves its phase, because taps lie whole rates apart. So each phase is an ordinary image for the same
    filter (the polyphase identity). This shows why the operation is exact and needs no new weights;
    `torch.nn.functional.conv2d(..., dilation=rate)` runs it faster.

    Args:
        images: (N, C_in, H, W).
        weight: (C_out, C_in, k, k), k odd.
        rate: atrous rate, at least 1.

    Returns:
        (N, C_out, H, W), zero-padded so that the size is kept.
    """
    phases = split_phases(images, rate)  # (N * rate², C_in, h, w)
    outputs = F.conv2d(phases, weight, padding=same_padding(weight.shape[-1], 1))
    return join_phases(outputs, rate, (images.shape[2], images.shape[3]))


class AtrousConv2d(nn.Conv2d):
    """A square convolution whose rate and stride can change while its weights stay.

    The padding follows the rate, so that at stride 1 the map keeps its size. There is no bias: batch normalization
    follows each of the paper's convolutions.

    Args:
        in_channels: channels of the input.
        out_channels: filters.
        kernel_size: taps along each axis, odd.
        rate: atrous rate, at least 1.
        stride: input samples between neighbouring outputs, at least 1.

    Raises:
        ValueError: an even kernel, or a rate or stride that is not a whole number of at least 1.
    """

    kernel_size: tuple[int, int]  # these four are the same along both axes
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int = 3, *, rate: int = 1, stride: int = 1
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=False)
        self.set_rate(rate)
        self.set_stride(stride)

    @property
    def rate(self) -> int:
        return self.dilation[0]

    def set_rate(self, rate: int) -> None:
        """Change the rate and, with it, the padding. The weights stay as they are."""
        padding = same_padding(self.kernel_size[0], rate)
        self.dilation = (rate, rate)
        self.padding = (padding, padding)
        # torch keeps the padding a second time, for padding modes other than zeros.
        self._reversed_padding_repeated_twice = [padding] * 4

    def set_stride(self, stride: int) -> None:
        """Change the stride. The weights stay as they are."""
        require_whole("stride", stride)
        self.stride = (stride, stride)

    def forward(self, images: Tensor) -> Tensor:
        """(N, C_in, H, W) to (N, C_out, ceil(H / stride), ceil(W / stride))."""
        return F.conv2d(images, self.weight, self.bias, self.stride, self.padding, self.dilation)
