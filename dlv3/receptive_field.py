"""Receptive fields (section 3.1): the pixels that one output sees, by arithmetic and by measurement.

Through a chain of layers, three numbers follow the centre and the reach of one output along one axis:

    size  <- size + (k_e - 1) * jump         k_e: effective kernel size
    start <- start + ((k_e - 1) / 2 - padding) * jump
    jump  <- jump * stride

`jump` is the distance between neighbouring outputs in input pixels, and `start` the pixel on which output 0 is centred.
An atrous layer increases the size as a large kernel does and leaves the jump alone. The size is the span from the first
pixel seen to the last. A stack of atrous layers may leave holes in it (gridding), which `count_paths` and
`measure_support` show.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.atrous import effective_kernel_size
from dlv3.fields import is_whole, require, require_whole
from dlv3.resnet import ResNet


@dataclass(frozen=True)
class Layer:
    """One convolution or pooling along one axis.

    Args:
        kernel_size: taps.
        stride: input samples between neighbouring outputs.
        rate: atrous rate.
        padding: zeros at each end; None is half the effective kernel, which keeps the size at stride 1.

    Raises:
        ValueError: a value out of range.
    """

    kernel_size: int
    stride: int = 1
    rate: int = 1
    padding: int | None = None

    def __post_init__(self) -> None:
        require_whole("kernel_size", self.kernel_size)
        require_whole("rate", self.rate)
        require_whole("stride", self.stride)
        known = self.padding is None or is_whole(self.padding, 0)
        require("padding", self.padding, known, "None or a whole number of at least 0")

    @property
    def reach(self) -> int:
        """Distance in samples from the first tap to the last."""
        return effective_kernel_size(self.kernel_size, self.rate) - 1


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of a layer's outputs along one axis, in input pixels."""

    size: int = 1
    jump: int = 1
    start: float = 0.0

    def through(self, layer: Layer) -> "ReceptiveField":
        """Return the field after one more layer."""
        half = layer.reach / 2
        padding = layer.reach // 2 if layer.padding is None else layer.padding
        return ReceptiveField(
            size=self.size + layer.reach * self.jump,
            jump=self.jump * layer.stride,
            start=self.start + (half - padding) * self.jump,
        )

    def span(self, output: int) -> tuple[float, float]:
        """Return the first and the last pixel that an output sees; pixels outside the image are padding."""
        centre = self.start + output * self.jump
        return centre - (self.size - 1) / 2, centre + (self.size - 1) / 2


def receptive_field(layers: Iterable[Layer]) -> ReceptiveField:
    """Return the receptive field after a chain of layers, first layer first."""
    return growth(layers)[-1]


def growth(layers: Iterable[Layer]) -> list[ReceptiveField]:
    """Return the receptive field before the first layer and after each: one entry more than layers."""
    fields = [ReceptiveField()]
    for layer in layers:
        fields.append(fields[-1].through(layer))
    return fields


def layers_of(backbone: ResNet) -> list[Layer]:
    """Return the layers on the longest path through a backbone. Shortcuts see less, around the same centre."""
    layers = []
    for module in backbone.main_path():
        rate = _first(module.dilation)
        layers.append(Layer(_first(module.kernel_size), _first(module.stride), rate, _first(module.padding)))
    return layers


def _first(value: int | tuple[int, ...]) -> int:
    return value if isinstance(value, int) else value[0]


def count_paths(layers: Iterable[Layer]) -> Tensor:
    """Count the paths from each input pixel to one output, along one axis; 0 is a hole.

    Args:
        layers: a chain, first layer first. Padding does not matter.

    Returns:
        (size,) float64 whole numbers, from the first pixel of the receptive field to its last.
    """
    paths = torch.ones(1, dtype=torch.float64)
    for layer in reversed(list(layers)):
        taps = torch.ones(1, 1, layer.kernel_size, dtype=torch.float64)
        # Backwards through a layer: spread by its stride, then by its taps.
        paths = F.conv_transpose1d(
            paths[None, None], taps, stride=layer.stride, dilation=layer.rate
        ).flatten()
    return paths


def places_read(rates: Iterable[int], kernel_size: int = 3) -> dict[int, int]:
    """Return the places along one axis that a stack of atrous convolutions of stride 1 reads, with their paths.

    >>> places_read((2, 2))
    {-4: 1, -2: 2, 0: 3, 2: 2, 4: 1}

    The two axes are independent: in an image the stack reads every pair of these places.

    Args:
        rates: the rate of each layer; their order does not matter.
        kernel_size: taps of each layer, an odd number, so that a tap lies on the output's own place.

    Returns:
        Distance from the output, in samples, to the number of paths that lead there; from left to right, without holes.

    Raises:
        ValueError: a rate or a kernel size out of range.
    """
    require(
        "kernel_size", kernel_size, is_whole(kernel_size, 1) and kernel_size % 2 == 1, "an odd whole number"
    )
    paths = count_paths(Layer(kernel_size, rate=rate) for rate in rates)
    middle = len(paths) // 2
    return {place - middle: int(count) for place, count in enumerate(paths.tolist()) if count}


def count_holes(layers: Iterable[Layer]) -> int:
    """Count the pixels along one axis, between the first and the last one seen, that no path reaches (gridding)."""
    return int((count_paths(layers) == 0).sum())


def measure_support(network: nn.Module, length: int, output: int) -> Tensor:
    """Find the pixels that one output can see at all, from the gradient of a copy with positive weights only.

    With positive weights no path cancels another and no ReLU blocks one, so that every pixel with a path shows. The
    image is a strip one pixel high: kernels are square and the two axes are independent.

    Args:
        network: maps (1, 3, 1, length) to (1, C, 1, w). It is copied, not changed.
        length: pixels in the strip, more than the field's size if the whole field is to show.
        output: index of the output along the strip.

    Returns:
        (length,) booleans.

    Raises:
        ValueError: an output that the strip does not have.
    """
    network = _with_positive_weights(network)
    strip = torch.ones(1, 3, 1, length, dtype=torch.float64, requires_grad=True)
    features = network(strip)  # (1, C, 1, w)
    if not 0 <= output < features.shape[3]:
        raise ValueError(
            f"output={output}: a strip of {length} pixels has outputs 0 to {features.shape[3] - 1}"
        )
    (gradient,) = torch.autograd.grad(features[0, :, 0, output].sum(), strip)  # (1, 3, 1, length)
    return gradient.sum(dim=(0, 1, 2)) > 0


def measure_backbone(backbone: ResNet) -> ReceptiveField:
    """Measure a backbone's receptive field with `measure_support`, to compare with `receptive_field(layers_of(...))`.

    Returns:
        The field: its size and start from the support of an output far from the borders, its jump from the next
        output's.
    """
    field = receptive_field(layers_of(backbone))
    output = -(-(field.size // 2 + 1) // field.jump) + 1
    length = 2 * output * field.jump + 1
    here = measure_support(backbone, length + field.jump, output).nonzero().flatten()
    after = measure_support(backbone, length + field.jump, output + 1).nonzero().flatten()
    first, last, jump = int(here[0]), int(here[-1]), int(after[0] - here[0])
    return ReceptiveField(size=last - first + 1, jump=jump, start=(first + last) / 2 - output * jump)


def measure_effective(network: nn.Module, size: int, *, images: int = 8, seed: int = 0) -> Tensor:
    """Measure how much each pixel weighs in the centre output, from gradients (Luo et al. 2016).

    The network runs as it is, on images of noise. With trained weights this is its effective field, which is smaller
    than its support and heavier in the middle.

    Args:
        network: maps (N, 3, size, size) to (N, C, h, w); it runs in evaluation mode.
        size: side of the images in pixels.
        images: number of images, over which the gradients are averaged.
        seed: of the noise, and of the random direction in the output's channels.

    Returns:
        (size, size) shares that sum to 1.
    """
    generator = torch.Generator().manual_seed(seed)
    weight = next(network.parameters())
    was_training = network.training
    network.eval()
    noise = torch.randn(images, 3, size, size, generator=generator).to(weight).requires_grad_()
    features = network(noise)
    centre = features[:, :, features.shape[2] // 2, features.shape[3] // 2]  # (N, C)
    direction = torch.randn(centre.shape, generator=generator).to(centre)
    (gradient,) = torch.autograd.grad((centre * direction).sum(), noise)
    network.train(was_training)
    weights = gradient.abs().mean(dim=(0, 1))
    return weights / weights.sum()


def _with_positive_weights(network: nn.Module) -> nn.Module:
    network = copy.deepcopy(network).double().eval()
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            # Max-pooling would pass the gradient to one pixel of each window only.
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, name, nn.AvgPool2d(child.kernel_size, child.stride, child.padding))
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            # The mean over channels, but the sum over taps, so that no far pixel's gradient underflows.
            nn.init.constant_(module.weight, 1 / module.in_channels)
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
    return network
