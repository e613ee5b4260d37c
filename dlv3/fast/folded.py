"""Convolutions with batch normalization folded in and what follows them fused: the same answers in fewer passes.

In evaluation mode batch normalization is a fixed scale and shift for each channel. The scale goes into the
convolution's weights and the shift into its bias, so that of the paper's convolution, batch normalization, ReLU one
operation is left; on a CPU oneDNN adds the residual in the same operation, and wide 3×3 filters take a
fifth to a third of the multiplications (`dlv3.fast.winograd`). `dlv3.fast.served` makes a model of these.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.aspp import ASPP
from dlv3.atrous import AtrousConv2d
from dlv3.fast import winograd
from dlv3.fast.packed import COPIES, PackedWeights, fuses
from dlv3.fast.tiling import Tiling
from dlv3.fast.winograd import WinogradFilter
from dlv3.resnet import Unit

BATCH_NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)  # the second where several GPUs train


class FoldedConv2d(AtrousConv2d):
    """A convolution, its batch normalization and, where asked for, the sum with a residual and the ReLU, as one.

    Rate and stride can change as those of an `AtrousConv2d`. For inference only: nothing of it has a gradient.

    Args:
        conv: without a bias.
        bn: follows it; its running statistics are used.
        relu: whether a ReLU is the end of it.
    """

    def __init__(self, conv: AtrousConv2d, bn: nn.BatchNorm2d, *, relu: bool) -> None:
        super().__init__(conv.in_channels, conv.out_channels, conv.kernel_size[0])
        self.set_rate(conv.rate)
        self.set_stride(conv.stride[0])
        scale = bn.weight.double() / torch.sqrt(bn.running_var.double() + bn.eps)  # (C_out,)
        weight = conv.weight.double() * scale[:, None, None, None]
        bias = bn.bias.double() - bn.running_mean.double() * scale
        self.weight = _fixed(weight.to(conv.weight.dtype))
        self.bias = _fixed(bias.to(conv.weight.dtype))
        self.relu = relu
        self._packed = PackedWeights()
        self._winograd: OrderedDict[tuple, WinogradFilter] = OrderedDict()  # made when a map asks for them

    def forward(self, images: Tensor, residual: Tensor | None = None, shift: Tensor | None = None) -> Tensor:
        """Convolve, add, rectify.

        Args:
            images: (N, C_in, H, W).
            residual: (N, C_out, h, w) to be added before the ReLU. May be overwritten.
            shift: (N, C_out) to be added to the bias, image by image.

        Returns:
            (N, C_out, h, w).
        """
        bias = self.bias
        if shift is not None and len(shift) == 1:
            bias, shift = bias + shift[0], None
        if shift is not None:
            out = self._convolved(images, bias, relu=False).add_(shift[:, :, None, None])
            return out.relu_() if self.relu else out
        return self._convolved(images, bias, relu=self.relu, residual=residual)

    def _convolved(
        self, images: Tensor, bias: Tensor, *, relu: bool, residual: Tensor | None = None
    ) -> Tensor:
        weight, padding = self.reached(images.shape[2:])
        geometry = (padding, self.stride, self.dilation)
        if fuses(images):
            if residual is None and self._saves_multiplications(images):
                out = self._transformed(images).convolve(images, self.rate).add(bias[:, None, None])
                return out.relu_() if relu else out
            version = (weight.shape, weight.data_ptr())
            weight = self._packed.from_second_time(weight, images.shape, geometry, version)
            after = "relu" if relu else "none"
            if residual is None:
                return torch.ops.mkldnn._convolution_pointwise(
                    images, weight, bias, *geometry, 1, after, [], ""
                )
            residual = residual.contiguous(memory_format=torch.channels_last)
            return torch.ops.mkldnn._convolution_pointwise_.binary(
                residual, images, weight, bias, *geometry, 1, "add", 1.0, after if relu else None, [], None
            )
        out = F.conv2d(images, weight, bias, self.stride, padding, self.dilation)
        if residual is not None:
            out += residual
        return out.relu_() if relu else out

    def _saves_multiplications(self, images: Tensor) -> bool:
        size = (images.shape[2], images.shape[3])
        of_its_kind = self.kernel_size == (3, 3) and self.stride == (1, 1)
        return of_its_kind and winograd.pays(self.in_channels, self.out_channels, size, self.rate)

    def _transformed(self, images: Tensor) -> WinogradFilter:
        tiling = Tiling.of((images.shape[2], images.shape[3]), self.rate)
        key = (tiling, self.weight.data_ptr())
        if key not in self._winograd:
            self._winograd[key] = WinogradFilter(self.weight, tiling)
            if len(self._winograd) > COPIES:
                self._winograd.popitem(last=False)
        self._winograd.move_to_end(key)
        return self._winograd[key]


def _fixed(tensor: Tensor) -> nn.Parameter:
    layout = torch.channels_last if tensor.ndim == 4 else torch.contiguous_format
    return nn.Parameter(tensor.detach().contiguous(memory_format=layout), requires_grad=False)


class FoldedUnit(Unit):
    """A residual unit of folded convolutions; the shortcut is added inside the last one, in the shortcut's own memory.

    What it is given is not kept: with an identity shortcut it is overwritten.
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
        return list(self.convs)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C_in, H, W) to (N, C_out, ceil(H / stride), ceil(W / stride))."""
        out = features
        for conv in self.convs[:-1]:
            out = conv(out)
        return self.convs[-1](out, residual=self.shortcut(features))


class FoldedASPP(ASPP):
    """ASPP of folded convolutions, its image-level features a shift of the projection's bias.

    The pooled vector is the same at every position, so its part of the projection is too: it is computed once an
    image, instead of at every position of a map that repeats it.
    """

    def __init__(self, aspp: ASPP) -> None:
        nn.Module.__init__(self)
        pooling = next((b for b in aspp.convs if isinstance(b[0], nn.AdaptiveAvgPool2d)), None)
        self.convs = nn.ModuleList(fold_sequence(b) for b in aspp.convs if b is not pooling)
        self.pooling = None if pooling is None else fold_sequence(pooling)
        whole = FoldedConv2d(aspp.project[0], aspp.project[1], relu=True)
        channels = sum(branch[0].out_channels for branch in self.convs)
        self.pooled_weight = _fixed(whole.weight[:, channels:, 0, 0])  # (C_out, C_pooled)
        whole.weight = _fixed(whole.weight[:, :channels])
        self.project = whole

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, h, w) to (N, channels, h, w)."""
        shift = None
        if self.pooling is not None:
            shift = F.linear(self.pooling(features).flatten(1), self.pooled_weight)  # (N, C_out)
        return self.project(torch.cat([branch(features) for branch in self.convs], dim=1), shift=shift)


def fold_sequence(modules: nn.Sequential) -> nn.Sequential:
    """The same sequence with each convolution, batch normalization and ReLU behind it folded into one module."""
    folded: list[nn.Module] = []
    rest = list(modules)
    while rest:
        module = rest.pop(0)
        if isinstance(module, AtrousConv2d) and rest and isinstance(rest[0], BATCH_NORMS):
            bn = rest.pop(0)
            relu = bool(rest) and isinstance(rest[0], nn.ReLU)
            if relu:
                rest.pop(0)
            module = FoldedConv2d(module, bn, relu=relu)
        elif isinstance(module, ASPP):
            module = FoldedASPP(module)
        elif isinstance(module, Unit):
            module = FoldedUnit(module)
        if not isinstance(module, nn.Dropout):
            folded.append(module)
    return nn.Sequential(*folded)
