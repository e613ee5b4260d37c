"""DeepLabv3: a backbone at any output stride, ASPP or the plain cascade, logits at the image's size (section 3)."""

import copy
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from dlv3.aspp import ASPP, conv_bn_relu
from dlv3.fields import is_whole, require
from dlv3.ranges import Classes, Decay, Depth, OneOf, Rate, Rates, Several, check_fields
from dlv3.resnet import BACKBONES, CASCADE_START, PAPER_OUTPUT_STRIDE, FirstUnitRule, ResNet

if TYPE_CHECKING:
    from dlv3.fast.served import InferenceModel

# The output stride for which the paper states ASPP's rates (section 3.3).
ASPP_STATED_AT = PAPER_OUTPUT_STRIDE


def aspp_rates_at(
    rates: tuple[int, ...], output_stride: int, stated_at: int = ASPP_STATED_AT
) -> tuple[int, ...]:
    """Return ASPP's rates at another output stride: doubled at 8, halved at 32 (section 3.3).

    Args:
        rates: the rates at output stride `stated_at`.
        output_stride: a power of two.
        stated_at: 16 in the paper; a backbone's `paper_output_stride`.

    Returns:
        The rates that cover the same distance in the image.

    Raises:
        ValueError: a rate would not be a whole number.
    """
    scaled = [rate * stated_at / output_stride for rate in rates]
    if any(rate != int(rate) for rate in scaled):
        strides = [stated_at // 4 * 2**i for i in range(4)]  # what four blocks can have
        allowed = ", ".join(str(s) for s in strides if all(r * stated_at % s == 0 for r in rates))
        raise ValueError(
            f"output_stride={output_stride}: aspp_rates={rates!r}, stated at output stride {stated_at}, would become "
            f"{tuple(scaled)!r}, which are not whole; with these rates the output stride may be {allowed}"
        )
    return tuple(int(rate) for rate in scaled)


@dataclass(frozen=True)
class DeepLabV3Config:
    """Everything that defines a DeepLabV3. The defaults are the paper's best model (Table 6)."""

    backbone: Annotated[str, OneOf(tuple(BACKBONES))] = "resnet50"
    """"resnet50" or "resnet101" (section 4); "resnet14", a small network for the made scenes; or "resnet17", a small
    network for pictures of a quarter of the paper's side, whose output strides are a quarter of the paper's."""
    num_classes: Classes = 21
    """Classes, background included; 21 in PASCAL VOC (section 4)."""
    output_stride: int = 16
    """Input pixels per sample of the last feature map (section 3.1): 4, 8, 16, 32; 64, 128, 256 with blocks 5, 6, 7.
    A quarter of these with "resnet17"."""
    multi_grid: Rates = (1, 2, 4)
    """Unit rates of the three units in block4 to block7, times the block's base rate (section 3.2.1)."""
    blocks: Depth = 4
    """Depth of the cascade, 4 (none) to 7 (section 3.2)."""
    aspp_rates: Rates = (6, 12, 18)
    """Rates of ASPP's 3×3 branches at output stride 16, or 4 with "resnet17" (section 3.3); () is the cascade with a
    plain classifier."""
    aspp_channels: Several = 256
    """Filters of each branch of ASPP and of its projection (section 3.3)."""
    image_pooling: bool = True
    """Give ASPP the branch of image-level features (section 3.3). The plain classifier has none."""
    first_unit: FirstUnitRule = "stage"
    """The place of the strides and the rates that follow from it, see `dlv3.resnet`: "stage" as in the paper, or
    "previous" as in torchvision, whose weights need it."""
    cascade_rate: Rate | None = None
    """One base rate for block4 to block7 instead of those of the output stride. Not in the paper: for controls."""
    dropout: Decay = 0.1
    """Share of the values set to 0 before the last convolution. Not stated in the paper; the authors' code has 0.1."""
    extra_conv: bool = False
    """Add a further 3×3 convolution after ASPP, as torchvision does and the paper does not."""
    aux: bool = False
    """Build an auxiliary classifier on block3, for training only, as torchvision does and the paper does not."""
    in_channels: Several = 3
    """Channels of the images: 3 for colour, as in the paper, 1 for grey, more for multispectral ones."""

    def __post_init__(self) -> None:
        check_fields(self)
        self._check_output_stride()
        units = BACKBONES[self.backbone].units[CASCADE_START - 1]
        one_each = f"{units} unit rates, one per unit of a block"
        require("multi_grid", self.multi_grid, len(self.multi_grid) == units, one_each)
        if not self.aspp_rates:
            allowed = "False with the plain classifier (aspp_rates=())"
            require("extra_conv", self.extra_conv, not self.extra_conv, allowed)
        self.aspp_rates_at(self.output_stride)  # refuses a rate that would not be whole

    def aspp_rates_at(self, output_stride: int) -> tuple[int, ...]:
        """Return ASPP's rates at an output stride; see the function of this name."""
        return aspp_rates_at(self.aspp_rates, output_stride, BACKBONES[self.backbone].paper_output_stride)

    def _check_output_stride(self) -> None:
        spec = BACKBONES[self.backbone]
        strides, possible = spec.output_strides(self.blocks), spec.output_strides(7)
        allowed = f"one of {', '.join(map(str, strides))} with blocks={self.blocks}"
        if self.output_stride not in strides and self.output_stride in possible:
            needed = possible.index(self.output_stride) + 1
            allowed += f" (a stride of {self.output_stride} needs blocks={needed})"
        if spec.shrink > 1:
            allowed += f"; those of {self.backbone} are the paper's over {spec.shrink}"
        holds = is_whole(self.output_stride) and self.output_stride in strides
        require("output_stride", self.output_stride, holds, allowed)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "DeepLabV3Config":
        """Build a configuration from the dictionary that `dataclasses.asdict` makes, or from its JSON.

        Raises:
            ValueError: a field that does not exist, or a value that is not allowed.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(values, dict):
            raise ValueError(f"configuration: expected a dictionary of fields, got {type(values).__name__}")
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ValueError(
                f"{unknown[0]!r} is not a field of DeepLabV3Config; the fields are {', '.join(names)}"
            )
        return cls(**values)


class DeepLabV3(nn.Module):
    """The model: backbone, then ASPP or a plain classifier, then bilinear upsampling (sections 3 and 4.1).

    Modules are named as in torchvision (`backbone`, `classifier`, `aux_classifier`), so that its weights load without
    renaming (`dlv3.weights`).

    Args:
        config: the model to build; None is `DeepLabV3Config()`, the paper's best model with a ResNet-50.
    """

    def __init__(self, config: DeepLabV3Config | None = None) -> None:
        super().__init__()
        config = config or DeepLabV3Config()
        self.config = config
        self.batch_norm_frozen = False
        spec = BACKBONES[config.backbone]
        self.backbone = ResNet(
            spec,
            output_stride=config.output_stride,
            multi_grid=config.multi_grid,
            blocks=config.blocks,
            first_unit=config.first_unit,
            cascade_rate=config.cascade_rate,
            in_channels=config.in_channels,
        )
        channels = self.backbone.out_channels
        self.classifier = (
            _aspp_classifier(channels, config) if config.aspp_rates else _plain_classifier(channels, config)
        )
        self.aux_classifier = (
            _aux_classifier(spec.block_channels(3), config.num_classes) if config.aux else None
        )

    @property
    def output_stride(self) -> int:
        """The current output stride; `config` keeps the one that the model was built with."""
        return self.backbone.output_stride

    @property
    def aspp(self) -> ASPP | None:
        """The ASPP module, or None where the classifier is the plain one."""
        first = self.classifier[0]
        return first if isinstance(first, ASPP) else None

    def set_output_stride(self, output_stride: int) -> None:
        """Run the same weights at another output stride: backbone and ASPP take their new rates, in place.

        Args:
            output_stride: 4 to 32, or to 64, 128, 256 with 5, 6, 7 blocks; a quarter of these with "resnet17".

        Raises:
            ValueError: a stride that this depth cannot have, or at which an ASPP rate would not be whole.
        """
        # Check the value together with the rest of the configuration.
        replace(self.config, output_stride=output_stride)
        self.backbone.set_output_stride(output_stride)
        if self.aspp is not None:
            self.aspp.set_rates(self.config.aspp_rates_at(output_stride))

    def with_classes(self, num_classes: int) -> "DeepLabV3":
        """Return a copy with another number of classes: fresh last layers, everything else as it is here.

        Args:
            num_classes: background included, at least 2.

        Raises:
            ValueError: another number.
        """
        model = copy.deepcopy(self)
        model.config = replace(self.config, num_classes=num_classes)
        for classifier in (model.classifier, model.aux_classifier):
            if classifier is not None:
                last = cast("nn.Conv2d", classifier[-1])
                classifier[-1] = nn.Conv2d(last.in_channels, num_classes, 1).to(last.weight)
        return model

    def set_batch_norm_momentum(self, momentum: float) -> None:
        """Set PyTorch's momentum of every batch normalization: 1 minus the paper's decay, so 0.0003 (section 4.1)."""
        if not 0 < momentum <= 1:
            raise ValueError(
                f"momentum={momentum!r}: expected above 0 and at most 1; a decay of 0.9997 is 0.0003 here"
            )
        for bn in self._batch_norms():
            bn.momentum = momentum

    def freeze_batch_norm(self) -> None:
        """Hold the statistics, weights and biases of every batch normalization: training's stage 2 (section 4.1).

        They stay frozen through `model.train()`, until `unfreeze_batch_norm`.
        """
        self._set_batch_norm_frozen(True)

    def unfreeze_batch_norm(self) -> None:
        """Let batch normalization learn again."""
        self._set_batch_norm_frozen(False)

    def _set_batch_norm_frozen(self, frozen: bool) -> None:
        self.batch_norm_frozen = frozen
        for bn in self._batch_norms():
            bn.requires_grad_(not frozen)
        self.train(self.training)

    def _batch_norms(self) -> list[_BatchNorm]:
        return [m for m in self.modules() if isinstance(m, _BatchNorm)]

    def train(self, mode: bool = True) -> "DeepLabV3":
        super().train(mode)
        if mode and self.batch_norm_frozen:
            for bn in self._batch_norms():
                bn.eval()
        return self

    def coarse_logits(self, images: Tensor) -> Tensor:
        """Compute the logits at the feature map's resolution, before upsampling.

        Args:
            images: (N, in_channels, H, W), floating-point, normalised; any H and W of at least 1.

        Returns:
            (N, num_classes, ceil(H / output_stride), ceil(W / output_stride)).

        Raises:
            TypeError: images that are not floating-point, or not of the weights' type.
            ValueError: another shape, an empty batch, or a training batch of 1 with image pooling.
        """
        _check_images(images, self.config.in_channels, self.backbone.conv1.weight.dtype)
        logits: Tensor = self.classifier(self.backbone(images))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Compute the logits at the images' own size: `coarse_logits`, upsampled (section 4.1).

        Args:
            images: (N, in_channels, H, W), floating-point, normalised; any H and W of at least 1.

        Returns:
            (N, num_classes, H, W), in at least float32.
        """
        return upsample(self.coarse_logits(images), images.shape[2:])

    def forward_with_auxiliary(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the logits and the auxiliary classifier's logits, for the loss: both (N, num_classes, H, W).

        Raises:
            ValueError: the model was built without an auxiliary classifier.
        """
        if self.aux_classifier is None:
            raise ValueError("aux=False: this model has no auxiliary classifier; build it with aux=True")
        _check_images(images, self.config.in_channels, self.backbone.conv1.weight.dtype)
        maps = self.backbone.feature_maps(images)
        logits = self.classifier(maps[f"block{self.config.blocks}"])
        size = images.shape[2:]
        return upsample(logits, size), upsample(self.aux_classifier(maps["block3"]), size)

    def for_inference(self, dtype: torch.dtype = torch.float32, compile: bool = False) -> "InferenceModel":
        """Return a copy made ready to serve: faster, the same answers. This model stays as it is.

        Args:
            dtype: the type to compute in: float32, bfloat16 or float16.
            compile: compile the copy as well, see `dlv3.fast.InferenceModel`.

        Raises:
            ValueError: another dtype.
        """
        # The one door from the paper's files to `dlv3.fast`: imported when it is used, so that nothing here needs it.
        from dlv3.fast import for_inference

        return for_inference(self, dtype=dtype, compile=compile)


# torch.fx keeps a wrapped function as one step of its graph.
@torch.fx.wrap
def _check_images(images: Tensor, channels: int, dtype: torch.dtype) -> None:
    """Raise an error unless images are a batch that weights of a type can take."""
    if not isinstance(images, Tensor):
        raise TypeError(
            f"images: expected a tensor of shape (N, {channels}, H, W), got {type(images).__name__}"
        )
    if images.ndim != 4 or images.shape[1] != channels:
        one = images.ndim == 3 and images.shape[0] == channels
        hint = "; add the batch axis with images[None]" if one else ""
        raise ValueError(f"images.shape={tuple(images.shape)}: expected (N, {channels}, H, W){hint}")
    if 0 in images.shape:
        raise ValueError(
            f"images.shape={tuple(images.shape)}: expected at least one image of at least 1×1 pixels"
        )
    if not images.is_floating_point():
        raise TypeError(
            f"images.dtype={images.dtype}: expected floating-point; convert bytes with images.float() / 255 "
            "and normalise them"
        )
    if images.dtype != dtype and not torch.is_autocast_enabled(images.device.type):
        raise TypeError(
            f"images.dtype={images.dtype}: the model's weights are {dtype}; convert the images with .to()"
        )


@torch.fx.wrap
def upsample(logits: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """Upsample bilinearly to an image's size, in at least float32: (N, C, h, w) to (N, C, *size)."""
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    return F.interpolate(logits, size=size, mode="bilinear", align_corners=False)


def _aspp_classifier(in_channels: int, config: DeepLabV3Config) -> nn.Sequential:
    channels = config.aspp_channels
    aspp = ASPP(
        in_channels,
        channels,
        config.aspp_rates_at(config.output_stride),
        image_pooling=config.image_pooling,
        dropout=config.dropout,
    )
    extra = conv_bn_relu(channels, channels, 3) if config.extra_conv else ()
    return nn.Sequential(aspp, *extra, nn.Conv2d(channels, config.num_classes, 1))


def _plain_classifier(in_channels: int, config: DeepLabV3Config) -> nn.Sequential:
    # The paper does not describe the cascade's classifier: here it has the same last layers as follow ASPP.
    return nn.Sequential(nn.Dropout(config.dropout), nn.Conv2d(in_channels, config.num_classes, 1))


def _aux_classifier(in_channels: int, num_classes: int) -> nn.Sequential:
    channels = in_channels // 4
    return nn.Sequential(
        *conv_bn_relu(in_channels, channels, 3), nn.Dropout(0.1), nn.Conv2d(channels, num_classes, 1)
    )


def deeplabv3_resnet50(**config: Any) -> DeepLabV3:
    """Build a DeepLabV3 with a ResNet-50. Keyword arguments are `DeepLabV3Config`'s fields."""
    return DeepLabV3(DeepLabV3Config(backbone="resnet50", **config))


def deeplabv3_resnet101(**config: Any) -> DeepLabV3:
    """Build a DeepLabV3 with a ResNet-101, the paper's best. Keyword arguments are `DeepLabV3Config`'s fields."""
    return DeepLabV3(DeepLabV3Config(backbone="resnet101", **config))
