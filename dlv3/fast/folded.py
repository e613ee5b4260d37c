"""Fold batch normalization into the convolution before it, and fuse the steps after it: the same answers, faster.

In evaluation mode batch normalization is a fixed scale and shift of each channel. With mean 1, variance 4, weight 6
and bias 5 the scale is 6 / sqrt(4) = 3, and a 1×1 convolution with the weight 2 becomes one with weight and bias:

    3 (2 x - 1) + 5 = 6 x + 2

So one operation is left of the paper's three: convolution, batch normalization, ReLU. On a CPU oneDNN adds the residual
in the same operation (`dlv3.fast.onednn`), and wide 3×3 filters need a fifth to a third of the multiplications
(`dlv3.fast.winograd`). `dlv3.fast.served` builds a model of these modules.
"""

from collections.abc import Callable
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.aspp import ASPP, ImagePooling
from dlv3.atrous import AtrousConv2d
from dlv3.fast import onednn, winograd
from dlv3.fast.onednn import Geometry, fuses
from dlv3.fast.packed import PackedWeights, values_of
from dlv3.fast.reached import reached_taps
from dlv3.fast.winograd import WinogradFilters
from dlv3.resnet import Unit

BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)  # several GPUs train with the second


class FoldedConv2d(AtrousConv2d):
    """A convolution, its batch normalization and, where asked for, the sum with a residual and the ReLU, in one.

    Rate and stride can change as in an `AtrousConv2d`. It is for inference only: its weights have no gradient.

    Args:
        conv: the convolution, without a bias.
        bn: the batch normalization that follows; its running statistics are used.
        relu: whether a ReLU ends the operation.
    """

    bias: nn.Parameter

    def __init__(self, conv: AtrousConv2d, bn: nn.BatchNorm2d | nn.SyncBatchNorm, *, relu: bool) -> None:
        super().__init__(
            conv.in_channels, conv.out_channels, conv.kernel_size[0], rate=conv.rate, stride=conv.stride[0]
        )
        mean, variance = (cast("Tensor", t).double() for t in (bn.running_mean, bn.running_var))
        scale = bn.weight.double() / torch.sqrt(variance + bn.eps)  # (C_out,)
        weight = conv.weight.double() * scale[:, None, None, None]
        bias = bn.bias.double() - mean * scale
        self.weight = _fixed(weight.to(conv.weight.dtype))
        self.bias = _fixed(bias.to(conv.weight.dtype))
        self.relu = relu
        self._forget()

    def _forget(self) -> None:
        """Drop what was made ready of the weights."""
        self._packed = PackedWeights()
        self._winograd = WinogradFilters()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        # Converted weights, such as those of .to(), can lie where the earlier ones lay.
        self._forget()
        applied: Self = super()._apply(fn, recurse)  # type: ignore[no-untyped-call]  # torch has no types for it
        return applied

    def forward(self, images: Tensor, residual: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """Convolve, add and rectify.

        Args:
            images: (N, C_in, H, W).
            residual: (N, C_out, h, w), added before the ReLU. It may be overwritten.
            shift: (N, C_out), added to the bias, image by image.

        Returns:
            (N, C_out, h, w).
        """
        bias: Tensor = self.bias
        if shift is not None and len(shift) == 1:
            bias, shift = bias + shift[0], None
        if shift is not None:
            out = self._convolved(images, bias, relu=False).add_(shift[:, :, None, None])
            return out.relu_() if self.relu else out
        return self._convolved(images, bias, relu=self.relu, residual=residual)

    def _convolved(
        self, images: Tensor, bias: Tensor, *, relu: bool, residual: Tensor | None = None
    ) -> Tensor:
        weight, padding = reached_taps(self.weight, images.shape[2:], self.rate)
        geometry: Geometry = (padding, self.stride, self.dilation)
        if not fuses(images):
            out = F.conv2d(images, weight, bias, self.stride, padding, self.dilation)
            if residual is not None:
                out += residual
            return out.relu_() if relu else out
        if residual is None and self._saves_multiplications(images):
            ready = self._winograd.get(self.weight, (images.shape[2], images.shape[3]), self.rate)
            out = ready.convolve(images, self.rate).add(bias[:, None, None])
            return out.relu_() if relu else out
        weight = self._packed.from_second_time(weight, images.shape, geometry, values_of(weight))
        if residual is None:
            return onednn.convolve(images, weight, bias, geometry, relu=relu)
        residual = residual.contiguous(memory_format=torch.channels_last)
        return onednn.convolve_onto(residual, images, weight, bias, geometry, relu=relu)

    def _saves_multiplications(self, images: Tensor) -> bool:
        if self.kernel_size != (3, 3) or self.stride != (1, 1):
            return False
        size = (images.shape[2], images.shape[3])
        return winograd.pays(self.in_channels, self.out_channels, size, self.rate)


def _fixed(tensor: Tensor) -> nn.Parameter:
    layout = torch.channels_last if tensor.ndim == 4 else torch.contiguous_format
    return nn.Parameter(tensor.detach().contiguous(memory_format=layout), requires_grad=False)


class FoldedUnit(Unit):
    """A residual unit of folded convolutions; the last one adds its result to the shortcut, in the shortcut's memory.

    So an identity shortcut overwrites the unit's input.
    """

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        convs = unit.main_path()
        self.convs = nn.ModuleList(
            FoldedConv2d(conv, getattr(unit, f"bn{number}"), relu=True)
            for number, conv in enumerate(convs, start=1)
        )
        self.downsample = None if unit.downsample is None else fold_sequence(unit.downsample)
        self.stride = unit.stride

    def main_path(self) -> list[AtrousConv2d]:
        return [cast("AtrousConv2d", conv) for conv in self.convs]

    def forward(self, features: Tensor) -> Tensor:
        """(N, C_in, H, W) to (N, C_out, ceil(H / stride), ceil(W / stride))."""
        out: Tensor = features
        for conv in self.convs[:-1]:
            out = conv(out)
        out = self.convs[-1](out, residual=self.shortcut(features))
        return out


class FoldedASPP(ASPP):
    """ASPP of folded convolutions, with the image-level features as a shift of the projection's bias.

    The pooled vector is the same at every position, and so is its part of the projection: it is computed once for an
    image, not at every position of a map that repeats it.
    """

    def __init__(self, aspp: ASPP) -> None:
        nn.Module.__init__(self)
        branches = [cast("nn.Sequential", branch) for branch in aspp.convs]
        pooling = next((b for b in branches if isinstance(b, ImagePooling)), None)
        self.convs = nn.ModuleList(fold_sequence(b) for b in branches if b is not pooling)
        self.pooling = None if pooling is None else fold_sequence(pooling)
        conv, bn = cast("AtrousConv2d", aspp.project[0]), cast("nn.BatchNorm2d", aspp.project[1])
        whole = FoldedConv2d(conv, bn, relu=True)
        channels = len(self.convs) * whole.out_channels  # of the branches that have a map
        self.pooled_weight = _fixed(whole.weight[:, channels:, 0, 0])  # (C_out, C_pooled)
        whole.weight = _fixed(whole.weight[:, :channels])
        self.project = nn.Sequential(whole)

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w)."""
        shift = None
        if self.pooling is not None:
            shift = F.linear(self.pooling(features).flatten(1), self.pooled_weight)  # (N, C_out)
        maps = torch.cat([branch(features) for branch in self.convs], dim=1)  # (N, branches * C, h, w)
        projected: Tensor = self.project[0](maps, shift=shift)
        return projected


def fold_sequence(modules: nn.Sequential) -> nn.Sequential:
    """Return the sequence with each convolution, its batch normalization and its ReLU folded into one module."""
    folded: list[nn.Module] = []
    rest = list(modules)
    while rest:
        module = rest.pop(0)
        bn = rest[0] if rest else None
        if isinstance(module, AtrousConv2d) and isinstance(bn, BATCH_NORMS):
            relu = len(rest) > 1 and isinstance(rest[1], nn.ReLU)
            module = FoldedConv2d(module, bn, relu=relu)
            del rest[: 1 + relu]
        elif isinstance(module, ASPP):
            module = FoldedASPP(module)
        elif isinstance(module, Unit):
            module = FoldedUnit(module)
        if not isinstance(module, nn.Dropout):
            folded.append(module)
    return nn.Sequential(*folded)
