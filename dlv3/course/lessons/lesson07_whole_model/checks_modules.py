"""Checks of lesson 07 for what the learner builds as modules: the unit, ASPP, the model."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.aspp import ASPP
from dlv3.course.kit.exercises import Wrong, close, exercise, require, unfinished, written
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.resnet import BottleneckUnit


def randomised(module: nn.Module, seed: int = 0) -> nn.Module:
    """Weights, statistics and affine parameters that no mistake gets right by luck; evaluation mode, float64."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.double().state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.3, generator=generator)
    return module.eval()


def same_tensors(mine: nn.Module, right: nn.Module, what: str, hints: dict[str, str]) -> None:
    """Require the same names and shapes in both state dicts; `hints` by a part of a name, the first that fits."""
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
        require(name in wanted, f"{what} has `{name}`, which is too much. {hint(name)}".rstrip())
    for name, tensor in wanted.items():
        shapes = tuple(own[name].shape), tuple(tensor.shape)
        require(
            shapes[0] == shapes[1],
            f"{what}: `{name}` has the shape {shapes[0]}, but it should be {shapes[1]}. {hint(name)}".rstrip(),
        )


def module(made: Any, call: str) -> nn.Module:
    """Require that a class was turned into a module."""
    unfinished(made, call)
    require(
        isinstance(made, nn.Module), f"{call} gives a {type(made).__name__}, but it should be an `nn.Module`."
    )
    return made


UNIT_HINTS = {
    "downsample": "The shortcut needs a projection where the channels change, and only there: "
    "`downsample`, a 1×1 convolution (with the unit's stride) and batch normalization.",
    "conv3": "The last 1×1 widens to `4 * width` channels.",
    "bn3": "The last 1×1 widens to `4 * width` channels.",
    "bn": "Each convolution has its batch normalization: `bn1`, `bn2`, `bn3`.",
}


def _unit_mistake(mine: nn.Module, stride: int, rate: int) -> str:
    for name in ("conv1", "conv3"):
        conv = getattr(mine, name)
        if tuple(conv.stride) != (1, 1):
            return f"Your stride sits in `{name}`. It belongs to the 3×3, `conv2`."
    conv = mine.conv2
    if tuple(conv.dilation) != (rate, rate):
        return f"`conv2` has dilation {tuple(conv.dilation)}, but the unit's rate is {rate}."
    if tuple(conv.stride) != (stride, stride):
        return f"`conv2` has the stride {tuple(conv.stride)}, but the unit's stride is {stride}."
    if tuple(conv.padding) != (rate, rate):
        return (
            f"`conv2` has the padding {tuple(conv.padding)}. A 3×3 of rate {rate} keeps the size with {rate}."
        )
    if mine.downsample is None and stride > 1:
        return "A shortcut without projection takes every second sample: `x[:, :, ::stride, ::stride]`."
    return (
        "The modules are right, so look at `forward`: ReLU behind bn1 and bn2; behind bn3 the shortcut is added "
        "first, and ReLU comes last."
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
                f"`{conv}` has a dilation. A 1×1 convolution has one tap, so a rate means nothing there.",
            )
        mine.double().eval().load_state_dict(right.state_dict())
        x = torch.randn(1, channels, 11, 13, generator=generator, dtype=torch.float64)
        given = x.clone()
        with torch.no_grad():
            wanted = right(x)
            try:
                got = mine(given)
            except RuntimeError as error:  # shapes that cannot be added
                raise Wrong(f"{call} stops with: {error}. {_unit_mistake(mine, stride, rate)}") from None
        unfinished(got, f"{call} on x")
        close(got, wanted, f"{call} on x", tolerance=1e-9, hint=_unit_mistake(mine, stride, rate))
        require(torch.equal(given, x), f"{call} changes its own input. `F.relu(x)` makes a new map.")
    return "The same names as torchvision's, so its weights fit."


ASPP_HINTS = {
    "project": "`project` is a 1×1 `conv_bn_relu` over all branches' channels, then dropout, in one `nn.Sequential`.",
    "convs.4": "Branch 4 is the image pooling: one `nn.Sequential` of `nn.AdaptiveAvgPool2d(1)` and, unpacked "
    "behind it with `*`, the parts of a 1×1 `conv_bn_relu`.",
    "convs": "`convs` is an `nn.ModuleList`: the 1×1, one 3×3 for each rate in order, then the pooling branch.",
}


@exercise("07/aspp", title="Atrous spatial pyramid pooling", difficulty=2, minutes=6)
def aspp(attempt: Callable[..., nn.Module]) -> str:
    call, rates = "`ASPP(10, 4, (1, 2, 3))`", (1, 2, 3)
    mine, right = module(attempt(10, 4, rates), call), randomised(ASPP(10, 4, rates))
    same_tensors(mine, right, call, ASPP_HINTS)
    got_rates = [branch[0].dilation[0] for branch in list(mine.convs)[1:4]]
    require(
        got_rates == list(rates), f"The 3×3 branches of {call} have the rates {got_rates}, in this order."
    )
    shares = [m.p for m in mine.modules() if isinstance(m, nn.Dropout)]
    require(shares == [0.1], f"{call} should have one `nn.Dropout(0.1)`, behind the projection.")
    mine.double().eval().load_state_dict(right.state_dict())
    features = torch.randn(2, 10, 7, 9, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        got, wanted = mine(features), right(features)
    unfinished(got, f"{call} on features")
    for order, where in ((4, 0, 1, 2, 3), "first"), ((3, 2, 1, 0, 4), "in reverse"):
        require(
            got.shape != wanted.shape or not torch.allclose(got, _reordered(right, features, order)),
            f"The weights of `project` belong to a fixed order: 1×1, the rates, pooling. Yours stand {where}.",
        )
    hint = "Run every branch on the same features, repeat the pooled one over the map, `torch.cat` on axis 1, project."
    close(got, wanted, f"{call} on features", tolerance=1e-9, hint=hint)
    return "Five branches, one vote each at every position."


@torch.no_grad()
def _reordered(right: ASPP, features: Tensor, order: tuple[int, ...]) -> Tensor:
    maps = [right.convs[i](features) for i in order]
    return right.project(torch.cat(maps, dim=1))


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
    if isinstance(got, Tensor):
        raise_known_upsampling(got, coarse, wanted.shape[2:])
    close(got, wanted, f"{call} on images of 37 × 50", tolerance=1e-9, hint="Upsample to `images.shape[2:]`.")
    return "Any height and width, and logits for each pixel."


def raise_known_upsampling(got: Tensor, coarse: Tensor, size: torch.Size) -> None:
    """Name the usual mistakes of the last step."""
    if got.shape == coarse.shape:
        raise Wrong("These are the coarse logits. Stretch them to the images' size, `images.shape[2:]`.")
    if got.shape[2:] == (48, 64):
        raise Wrong("48 × 64 is the map times 16. Upsample to the images' own size: `size=images.shape[2:]`.")
    aligned = F.interpolate(coarse, size=size, mode="bilinear", align_corners=True)
    nearest = F.interpolate(coarse, size=size)
    right = F.interpolate(coarse, size=size, mode="bilinear")
    known = {
        "This is `align_corners=True`; the library and torchvision use `align_corners=False`.": aligned,
        "This is nearest-neighbour upsampling: ask `F.interpolate` for `mode='bilinear'`.": nearest,
        "These are probabilities. The model gives logits; the loss takes the softmax.": right.softmax(1),
    }
    for message, result in known.items():
        if got.shape == result.shape and torch.allclose(got, result):
            raise Wrong(message)
