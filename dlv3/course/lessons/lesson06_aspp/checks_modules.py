"""Checks of lesson 06, ASPP: the image-pooling branch and the module."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dlv3 import aspp
from dlv3.atrous import same_padding
from dlv3.course.kit.advice import advice
from dlv3.course.kit.answers import hint_for
from dlv3.course.kit.exercises import Wrong, close, exercise, require, unfinished
from dlv3.course.kit.watching import NOT_DONE

IN, OUT, RATES = 6, 4, (1, 2)


def _lively(module: nn.Module) -> nn.Module:
    """Put a module in evaluation mode, with batch normalization that changes its input."""
    generator = torch.Generator().manual_seed(5)
    for name, tensor in module.named_buffers():
        low, high = (-1, 1) if name.endswith("running_mean") else (0.5, 2)
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return module.eval()


def _features(channels: int) -> Tensor:
    return torch.randn(2, channels, 9, 9, generator=torch.Generator().manual_seed(6))


@exercise("06/image-pooling", title="The image-pooling branch", difficulty=2, minutes=5)
def image_pooling(attempt: Callable[[int, int], nn.Module]) -> str:
    torch.manual_seed(4)
    module, features = _lively(attempt(IN, OUT)), _features(IN)
    look: nn.Module = getattr(module, "look", nn.Identity())
    require(
        hasattr(module, "look"), "Keep `self.look`, the 1×1 convolution with what follows it, from the stub."
    )
    call = "`ImagePooling(6, 4)` on features (2, 6, 9, 9)"
    with torch.no_grad():
        try:
            got = module(features.clone())
        except RuntimeError as error:
            if "channels" not in str(error) and "Expected 3D" not in str(error):
                raise
            raise Wrong(
                f"{call} stops: {error}. Average over rows and columns, axes 2 and 3. {advice(error)}"
            ) from None
        unfinished(got, call)
        mean = features.mean((2, 3), keepdim=True)  # (2, 6, 1, 1)
        want = look(mean).expand(-1, -1, 9, 9)
        shape = tuple(getattr(got, "shape", ()))
        require(
            shape != (2, OUT, 1, 1),
            f"{call} has the shape {shape}: one value a channel. Give it to every position: "
            "`.expand(-1, -1, *features.shape[2:])`.",
        )
        recipe = "Average over the map, look, then give the result to every position."
        close(got, want, call, hint=_pooling_slip(got, features, look) or recipe)
    return "However large the map is, there is one average, and every position sees it."


def _pooling_slip(got: Tensor, features: Tensor, look: nn.Module) -> str:
    def mean(maps: Tensor, axes: tuple[int, ...] = (2, 3)) -> Tensor:
        return maps.mean(axes, keepdim=True)

    slips = [
        (
            mean(look(features)),
            "You look first and average afterwards. There is a ReLU between the two, so the order matters: average "
            "first.",
        ),
        (
            look(features.amax((2, 3), keepdim=True)),
            "This is the largest value of each channel. The paper averages.",
        ),
        (
            look(mean(features, (0, 2, 3))),
            "You average over the batch too, so one picture's content reaches another: keep axis 0.",
        ),
        (
            look(features.sum((2, 3), keepdim=True)),
            "You sum over the map. A sum grows with the map's size; take the mean.",
        ),
        (look(features), "Nothing is averaged here: each position still has its own value."),
    ]
    everywhere = [(value.expand(2, OUT, 9, 9), hint) for value, hint in slips]
    return hint_for(got, everywhere)


@exercise("06/aspp", title="ASPP from its parts", difficulty=3, minutes=10)
def whole_aspp(attempt: Callable[[int, int, tuple[int, ...]], nn.Module]) -> str:
    torch.manual_seed(7)
    module, right = attempt(IN, OUT, RATES), aspp.ASPP(IN, OUT, RATES, dropout=0.0)
    require(isinstance(module, nn.Module), "`ASPP(6, 4, (1, 2))` should make an `nn.Module`.")
    parts = {name: getattr(module, name) for name in ("branches", "project") if hasattr(module, name)}
    if not parts:
        raise NotImplementedError(NOT_DONE)
    require(len(parts) == 2, "Keep the names `self.branches` and `self.project`.")
    branches, project = parts["branches"], parts["project"]
    require(
        isinstance(branches, nn.ModuleList),
        f"`self.branches` is a {type(branches).__name__}: PyTorch finds parameters only in modules, so an optimizer "
        "would never see these. Use `nn.ModuleList`.",
    )
    _check_branches(branches)
    _check_project(project)
    theirs, mine = right.state_dict(), list(module.state_dict().values())
    shapes = [tuple(tensor.shape) for tensor in theirs.values()]
    require(
        [tuple(tensor.shape) for tensor in mine] == shapes,
        "The parameters differ from ASPP's. Make the branches in the order 1×1, the 3×3 ones, pooling, each "
        "by `conv_bn_relu`, then `self.project`, and nothing else.",
    )
    right.load_state_dict(dict(zip(theirs, mine, strict=True)))
    features = _features(IN)
    _lively(module), _lively(right)
    with torch.no_grad():
        got = module(features.clone())
        unfinished(got, "`ASPP(6, 4, (1, 2))` on features (2, 6, 9, 9)")
        maps = [branch(features) for branch in branches]
        if getattr(got, "shape", None) == (2, 4 * OUT, 9, 9):
            raise Wrong("This is the concatenation itself. Project it: `self.project(…)`.")
        backwards = project(torch.cat(maps[::-1], 1))
        reverse = (
            "The branches are concatenated in reverse. Weights from elsewhere expect 1×1, 3×3s, pooling."
        )
        call = "`ASPP(6, 4, (1, 2))` on features (2, 6, 9, 9)"
        close(got, right(features), call, hint=hint_for(got, [(backwards, reverse)]))
    return "The same numbers as the library's ASPP, with your weights in it."


def _check_branches(branches: nn.ModuleList) -> None:
    want = len(RATES) + 2
    require(
        len(branches) == want,
        f"`ASPP(6, 4, (1, 2))` has {len(branches)} branches, but it needs {want}: the 1×1, one 3×3 for each rate, "
        "and image pooling.",
    )
    convs = [[m for m in branch.modules() if isinstance(m, nn.Conv2d)] for branch in branches]
    require(all(len(found) == 1 for found in convs), "Each branch has one convolution.")
    sizes = [found[0].kernel_size[0] for found in convs]
    require(
        sizes == [1, 3, 3, 1],
        f"The branches' kernels are {sizes}, in order; expected 1 (the 1×1), 3, 3 (the rates), 1 (in the pooling).",
    )
    for (conv,) in convs:
        require(
            conv.in_channels == IN,
            f"A branch reads {conv.in_channels} channels, but every branch reads the feature map, which has {IN}: they "
            "stand side by side, not one after another.",
        )
    rates = tuple(found[0].dilation[0] for found in convs[1:-1])
    require(rates == RATES, f"The 3×3 branches have rates {rates}; `rates` was {RATES}.")
    for (conv,) in convs[1:-1]:
        pad = same_padding(3, conv.dilation[0])
        require(
            conv.padding == (pad, pad), "A 3×3 branch keeps the map's size when its padding equals its rate."
        )
    last = branches[-1]
    require(
        not (isinstance(last, nn.Sequential) and isinstance(last[0], nn.Conv2d)),
        "The last branch is a plain 1×1. Average over the map before it: `ImagePooling(in_channels, channels)`.",
    )


def _check_project(project: nn.Module) -> None:
    found = [m for m in project.modules() if isinstance(m, nn.Conv2d)]
    require(len(found) == 1, "`self.project` is one 1×1 convolution, made by `conv_bn_relu`.")
    total = (len(RATES) + 2) * OUT
    require(
        found[0].in_channels == total,
        f"`self.project` reads {found[0].in_channels} channels. The branches are concatenated, not added: "
        f"{len(RATES) + 2} × {OUT} = {total} here.",
    )
    require(found[0].kernel_size == (1, 1), "`self.project` is a 1×1 convolution.")
    require(
        any(isinstance(m, nn.BatchNorm2d) for m in project.modules()),
        "Batch normalization and ReLU follow the projection's convolution too: `conv_bn_relu`.",
    )
