"""Checks of lesson 07 on the modules that the learner builds: the unit, the model."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for
from dlv3.course.kit.exercises import Wrong, close, exercise, require, unfinished, written
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.resnet import BottleneckUnit

M = TypeVar("M", bound=nn.Module)


def randomised(module: M, seed: int = 0) -> M:
    """Give a module random weights and statistics, which no mistake gets right by luck; evaluation mode, float64."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.double().state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.3, generator=generator)
    module.eval()
    return module


def same_tensors(mine: nn.Module, right: nn.Module, what: str, hints: dict[str, str]) -> None:
    """Require the same names and shapes in both state dicts, and name the first hint that fits."""
    own, wanted = mine.state_dict(), right.state_dict()

    def hint(name: str) -> str:
        return next((text for part, text in hints.items() if part in name), "")

    for name in own:
        owner = name.removesuffix("bias")
        bias = name.endswith(".bias") and owner + "running_mean" not in own and owner + "weight" in wanted
        require(
            name in wanted or not bias,
            f"{what} has `{name}`: batch normalization follows and has a bias of its own. "
            "Build the convolution with `bias=False`.",
        )
    for name in wanted:
        require(name in own, f"{what} has no `{name}`. {hint(name)}".rstrip())
    for name in own:
        require(name in wanted, f"{what} has `{name}`, which does not belong there. {hint(name)}".rstrip())
    for name, tensor in wanted.items():
        shapes = tuple(own[name].shape), tuple(tensor.shape)
        require(
            shapes[0] == shapes[1],
            f"{what}: `{name}` has the shape {shapes[0]}, but it should be {shapes[1]}. {hint(name)}".rstrip(),
        )


def module(made: Any, call: str) -> nn.Module:
    """Require a module, and return it."""
    unfinished(made, call)
    if not isinstance(made, nn.Module):
        raise Wrong(f"{call} gives a {type(made).__name__}, but it should be an `nn.Module`.")
    return made


UNIT_HINTS = {
    "downsample": "The shortcut needs a projection where the channels change, and only there: "
    "`downsample`, a 1×1 convolution (with the unit's stride) and batch normalization.",
    "conv3": "The last 1×1 widens to `4 * width` channels.",
    "bn3": "The last 1×1 widens to `4 * width` channels.",
    "bn": "Each convolution has its batch normalization: `bn1`, `bn2`, `bn3`.",
}


def _unit_mistake(mine: nn.Module, stride: int, rate: int) -> str:
    convs: list[nn.Conv2d] = [getattr(mine, name) for name in ("conv1", "conv2", "conv3")]
    for number in (1, 3):
        if convs[number - 1].stride != (1, 1):
            return f"Your stride is in `conv{number}`. It belongs to the 3×3, `conv2`."
    conv = convs[1]
    if conv.dilation != (rate, rate):
        return f"`conv2` has dilation {conv.dilation}, but the unit's rate is {rate}."
    if conv.stride != (stride, stride):
        return f"`conv2` has the stride {conv.stride}, but the unit's stride is {stride}."
    if conv.padding != (rate, rate):
        return f"`conv2` has the padding {conv.padding}. A 3×3 of rate {rate} keeps the size with {rate}."
    if mine.downsample is None and stride > 1:
        return "A shortcut without projection takes every second sample: `x[:, :, ::stride, ::stride]`."
    return (
        "The modules are right, so look at `forward`: ReLU follows bn1 and bn2; after bn3 the shortcut is added first, "
        "and ReLU comes last."
    )


@exercise("07/bottleneck", title="The bottleneck unit", difficulty=3, minutes=7)
def bottleneck(attempt: Callable[..., nn.Module]) -> str:
    generator = torch.Generator().manual_seed(1)
    for channels, width, stride, rate in ((12, 4, 1, 1), (16, 4, 1, 4), (12, 4, 2, 1), (16, 4, 2, 2)):
        call = written("Bottleneck", (channels, width, stride, rate))
        mine = module(attempt(channels, width, stride, rate), call)
        right = BottleneckUnit(channels, width)
        right.set_strides(stride, 1)
        right.set_rates(rate, rate)
        randomised(right)
        same_tensors(mine, right, call, UNIT_HINTS)
        for conv in ("conv1", "conv3"):
            require(
                tuple(getattr(mine, conv).dilation) == (1, 1),
                f"`{conv}` has a dilation. A 1×1 convolution has one tap, so a rate has no meaning there.",
            )
        mine.double().eval().load_state_dict(right.state_dict())
        x = torch.randn(1, channels, 11, 13, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            wanted = right(x)
            try:
                got = mine(x.clone())
            except RuntimeError as error:  # shapes that cannot be added
                raise Wrong(f"{call} stops: {error}. {_unit_mistake(mine, stride, rate)}") from None
        unfinished(got, f"{call} on x")
        close(got, wanted, f"{call} on x", tolerance=1e-9, hint=_unit_mistake(mine, stride, rate))
    return "The same names as torchvision's, so its weights fit."


@exercise("07/deeplab", title="The model", difficulty=2, minutes=5)
def deeplab(attempt: Callable[..., nn.Module]) -> str:
    config = DeepLabV3Config(backbone="resnet14", num_classes=5, aspp_rates=(1, 2, 3), aspp_channels=8)
    right = randomised(DeepLabV3(config))
    call = "`DeepLab(backbone, aspp, 8, 5)`"
    mine = module(attempt(right.backbone, right.aspp, 8, 5), call)
    hints = {
        "classifier.1": "`classifier` holds two things: the ASPP, and a 1×1 `nn.Conv2d` from `channels` to "
        "`num_classes` with its bias (no batch normalization follows it).",
        "classifier": "`classifier` is an `nn.Sequential` of the ASPP and the last convolution.",
        "backbone": "Keep the backbone as `self.backbone`.",
    }
    same_tensors(mine, right, call, hints)
    mine.double().eval().load_state_dict(right.state_dict())
    images = torch.randn(1, 3, 37, 50, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    with torch.no_grad():
        got, wanted, coarse = mine(images), right(images), right.coarse_logits(images)
    unfinished(got, f"{call} on images of 37 × 50")
    hint = _upsampling_slip(got, coarse, wanted) or "Upsample to `images.shape[2:]`."
    close(got, wanted, f"{call} on images of 37 × 50", tolerance=1e-9, hint=hint)
    return "Any height and width, and logits for each pixel."


def _upsampling_slip(got: Any, coarse: Tensor, wanted: Tensor) -> str:
    """Name the usual mistakes of the last step."""
    shape = tuple(getattr(got, "shape", ()))
    if shape == coarse.shape:
        return "These are the coarse logits. Stretch them to the images' size, `images.shape[2:]`."
    if shape[2:] == (48, 64):
        return "48 × 64 is the map times 16. Upsample to the images' own size: `size=images.shape[2:]`."
    size = wanted.shape[2:]
    aligned = F.interpolate(coarse, size=size, mode="bilinear", align_corners=True)
    slips = [
        (aligned, "This is `align_corners=True`; the library and torchvision use `align_corners=False`."),
        (
            F.interpolate(coarse, size=size),
            "This is nearest-neighbour upsampling: ask `F.interpolate` for `mode='bilinear'`.",
        ),
        (wanted.softmax(1), "These are probabilities. The model gives logits; the loss takes the softmax."),
    ]
    return hint_for(got, slips)
