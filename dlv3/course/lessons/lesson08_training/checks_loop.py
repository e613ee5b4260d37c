"""The check of lesson 08's training loop: three updates of a small network against those of the right loop."""

from collections.abc import Callable, Iterator
from typing import TypedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.answers import hint_for
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require

IGNORE = 255


class _Net(nn.Module):
    """A small network with all that a training loop can get wrong: batch normalization and two groups of parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4))
        self.head = nn.Conv2d(4, 3, 1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images).relu())
        return logits


def _fresh() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    net = _Net().double()
    groups = [{"params": net.body.parameters()}, {"params": net.head.parameters()}]
    return net, torch.optim.SGD(groups, lr=0.5, momentum=0.9)


def _updates() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(0, 3, (3, 2, 8, 8), generator=generator)
    labels[:, 0, :4] = IGNORE
    images = torch.randn(3, 2, 3, 8, 8, generator=generator, dtype=torch.float64)
    return list(zip(images, labels, strict=True))


def reference_loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[tuple[Tensor, Tensor]],
    schedule: Callable[[int], float],
    after: Callable[[int, float], None],
    *,
    zero: bool = True,
    groups: slice = slice(None),
    back_to_train: bool = True,
    shift: int = 0,
) -> None:
    """Train as the exercise asks; the options bring in the usual mistakes."""
    model.train()
    for i, (images, labels) in enumerate(batches):
        if back_to_train:
            model.train()
        for group in optimizer.param_groups[groups]:
            group["lr"] = schedule(i + shift)
        loss = F.cross_entropy(model(images), labels, ignore_index=IGNORE)
        if zero:
            optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        after(i, loss.item())


class _Slip(TypedDict, total=False):
    """An option of `reference_loop`."""

    zero: bool
    groups: slice
    back_to_train: bool
    shift: int


def _trained(
    loop: Callable[..., None], options: _Slip | None = None
) -> tuple[Tensor, list[tuple[int, float]]]:
    """Return all weights after three updates, and what the loop reported."""
    net, optimizer = _fresh()
    reports: list[tuple[int, float]] = []

    def after(i: int, loss: float) -> None:
        reports.append((i, loss))
        net.eval()  # as an evaluation between two updates does

    loop(net, optimizer, iter(_updates()), lambda i: 0.3 / (1 + i), after, **(options or {}))
    return torch.cat([p.detach().flatten() for p in net.parameters()]), reports


_LOOP_SLIPS: list[tuple[_Slip, str]] = [
    (
        {"zero": False},
        "The gradients of earlier updates are still there and add up: call `zero_grad()` before each `backward()`.",
    ),
    (
        {"groups": slice(0)},
        "`schedule` has no effect: set `group['lr'] = schedule(i)` for every group of `optimizer.param_groups`.",
    ),
    (
        {"groups": slice(1)},
        "Only the first group of parameters gets the new learning rate: go through all of `optimizer.param_groups`.",
    ),
    (
        {"back_to_train": False},
        "From the second update on the model is in evaluation mode: `after` evaluates, so call `model.train()` at the "
        "start of each update.",
    ),
    ({"shift": 1}, "The learning rate is one update late or early: the first update's is `schedule(0)`."),
]


@exercise("08/training-loop", title="The training loop", difficulty=3, minutes=10)
def training_loop(attempt: Callable[..., None]) -> str:
    want, reported = _trained(reference_loop)
    got, reports = _trained(attempt)
    start = torch.cat([p.detach().flatten() for p in _fresh()[0].parameters()])
    require(
        not torch.equal(got, start),
        "After three batches no weight has changed. An update is `zero_grad()`, `loss.backward()`, `optimizer.step()`, "
        "in this order: `zero_grad()` behind `backward()` throws away the gradients that `step()` needs.",
    )
    if not torch.allclose(got, want, rtol=0, atol=1e-6):
        recipe = (
            "After three batches the weights differ from those of the right loop. In order: `model.train()`, "
            "the learning rate into every group, the loss, `zero_grad`, `backward`, `step`."
        )
        slips = ((_trained(reference_loop, options)[0], hint) for options, hint in _LOOP_SLIPS)
        raise Wrong(hint_for(got, slips) or recipe)
    equal([i for i, _ in reports], [0, 1, 2], "The iterations that `after` was called with")
    require(
        all(isinstance(loss, float) for _, loss in reports),
        "Give `after` the loss as a number, `loss.item()`: a tensor would keep its whole graph in memory.",
    )
    losses = torch.tensor([loss for _, loss in reports])
    close(losses, [loss for _, loss in reported], "The losses that `after` was called with", tolerance=1e-6)
    return "Six lines. Everything else in a training program is about what to do if they are interrupted."
