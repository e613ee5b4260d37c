"""Faster gradients for training on a CPU: `for_training(model)`.

It swaps the class of a model's `AtrousConv2d` layers in place. The parameters, their names, the rates and the strides
stay, and so do the outputs and gradients, up to float32's rounding. The layer chooses, input by input, among four ways
to compute the same convolution:

- with fewer multiplications, forward and backward (`dlv3.fast.winograd_gradient`),
- with the filter's gradient taken tap by tap (`dlv3.fast.tap_gradient`),
- a 1×1 convolution with a stride as a plain matrix product on the samples that it reads,
- torch's own convolution, without the taps that meet nothing but padding (`dlv3.fast.reached`).
"""

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.atrous import AtrousConv2d
from dlv3.fast import tap_gradient, winograd_gradient
from dlv3.fast.reached import reached_taps

Model = TypeVar("Model", bound=nn.Module)


def for_training(model: Model) -> Model:
    """Switch on a model's faster gradients for training on a CPU, in place.

    Nothing else changes: the model saves, loads, copies, compiles and moves to a GPU as before. On other devices, in
    other types than float32 and in compiled or traced code its layers compute torch's plain convolution. Call it on a
    model that is to be trained: its layers are differentiable once, so that a second derivative needs the model as it
    was built. Calling it a second time changes nothing.

    Args:
        model: any module that holds `AtrousConv2d` layers, such as a DeepLabV3.

    Returns:
        The same model.
    """
    for module in model.modules():
        # A subclass computes in its own way and is left alone.
        if type(module) is AtrousConv2d:
            module.__class__ = TrainingConv2d
    return model


class TrainingConv2d(AtrousConv2d):
    """An `AtrousConv2d` that trains faster on a CPU: the same outputs and gradients, differentiable once."""

    def forward(self, images: Tensor) -> Tensor:
        """(N, C_in, H, W) to (N, C_out, ceil(H / stride), ceil(W / stride))."""
        traced = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
        # The ways below have no bias. A layer has one where batch normalization was folded into it.
        if traced or self.bias is not None or images.device.type != "cpu":
            return super().forward(images)
        weight, padding = reached_taps(self.weight, images.shape[2:], self.rate)
        if self.stride == (1, 1):
            if winograd_gradient.is_faster(images, weight, self.rate):
                return winograd_gradient.atrous_conv2d(images, weight, self.rate)
            if tap_gradient.is_faster(images, weight, self.rate):
                return tap_gradient.atrous_conv2d(images, weight, padding, self.rate)
        elif self.kernel_size == (1, 1):
            return F.conv2d(images[:, :, :: self.stride[0], :: self.stride[1]], weight)
        return F.conv2d(images, weight, None, self.stride, padding, self.dilation)
