"""Checks of lesson 08: learning rate, frozen batch normalization, bootstrapping."""

import copy
from collections.abc import Callable

import torch
from torch import nn

from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, close, exercise, require, written
from dlv3.course.lessons.lesson08_training.checks_loop import reference_loop
from dlv3.deeplab import DeepLabV3, DeepLabV3Config

__all__ = ["duplicated", "learning_rate_at", "reference_loop"]


def learning_rate_at(iteration: int, iterations: int, base: float, warmup: int = 0) -> float:
    """Return the learning rate of the poly policy with a warm-up."""
    rise = min(1.0, (iteration + 1) / warmup) if warmup else 1.0
    poly: float = base * (1 - iteration / iterations) ** 0.9
    return poly * rise


@exercise("08/learning-rate", title="The poly policy", difficulty=1, minutes=5, gives=float)
def learning_rate(attempt: Callable[[int, int, float, int], float]) -> str:
    cases = [(0, 100, 0.5, 0), (50, 100, 0.5, 0), (99, 100, 0.007, 0), (0, 100, 0.5, 20), (9, 100, 0.5, 20)]
    for case in [*cases, (19, 100, 0.5, 20), (60, 100, 0.5, 20), (5, 250, 0.3, 40)]:
        iteration, iterations, base, warmup = case
        call = written("learning_rate", case)
        try:
            got = attempt(*case)
        except ZeroDivisionError:
            raise Wrong(f"{call} divides by 0: a warm-up of 0 iterations means none.") from None
        got = answers.number(got, call)
        poly = base * (1 - iteration / iterations) ** 0.9
        done, rise = iteration / iterations, (iteration + 1) / max(warmup, 1)
        from_zero = "Count the warm-up from 1: with iteration / warmup the first update has a rate of 0."
        slips = [
            (poly, "The warm-up is missing: a factor of (iteration + 1) / warmup, until it reaches 1."),
            (poly * iteration / max(warmup, 1), from_zero),
            (base * (1 - done), "That falls in a straight line: the power 0.9 is missing."),
            (base * done**0.9, "That grows. At the first iteration the whole rate is left."),
            (base * (1 - done**0.9), "The power belongs outside: (1 − iteration / iterations)^0.9."),
            (poly / base, "That is the factor. Multiply it by `base`."),
            (poly * rise, "After the warm-up the factor stays 1: `min(1, ...)`."),
        ]
        value = float(got)
        close(value, learning_rate_at(*case), call, tolerance=1e-9, hint=answers.hint_for(value, slips, 1e-9))
    return "There is only the power to choose, and no iteration at which the rate should drop."


@exercise("08/freeze", title="Frozen for good", difficulty=2, minutes=6)
def freeze(attempt: type[DeepLabV3]) -> str:
    config = DeepLabV3Config(backbone="resnet14", num_classes=3, aspp_rates=(1,), aspp_channels=8)
    torch.manual_seed(0)
    model = attempt(config)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    require(norms, "The model has no batch normalization left; it should keep it, and freeze it.")
    require(
        model.train() is model,
        "`model.train()` does not give the model: end it with `return self`, as torch's own does.",
    )
    learning = sum(any(p.requires_grad for p in norm.parameters()) for norm in norms)
    require(
        not any(norm.training for norm in norms),
        "After `model.train()` batch normalization averages again. That call sets every module inside. Override it: "
        "first `super().train(mode)`, then `.eval()` on each `nn.BatchNorm2d`.",
    )
    require(
        model.training and any(m.training for m in model.modules() if isinstance(m, nn.Dropout)),
        "After `model.train()` the rest of the model is still in evaluation mode, so dropout does nothing: pass the "
        "call on with `super().train(mode)`.",
    )
    require(
        not learning,
        f"The weights and biases of {learning} of {len(norms)} batch normalizations still learn: "
        "`norm.requires_grad_(False)`, once, when the model is built.",
    )
    others = [p for name, p in model.named_parameters() if not p.requires_grad]
    held = sum(len(list(norm.parameters())) for norm in norms)
    require(
        len(others) == held,
        f"{len(others) - held} parameters outside batch normalization have stopped learning too: freeze the modules "
        "that are `nn.BatchNorm2d`, not the whole model.",
    )
    require(
        not model.eval().training, "After `model.eval()` the model is still in training mode: pass `mode` on."
    )
    before = copy.deepcopy(model.state_dict())
    model.train()(torch.randn(1, 3, 33, 33))  # a batch of one
    statistics = [name for name in before if name.endswith("running_mean")]
    require(
        all(torch.equal(model.state_dict()[name], before[name]) for name in statistics),
        "A forward pass in training still changes the running statistics.",
    )
    return "It stays frozen whatever calls `train()`, and as nothing is averaged, even a batch of one is possible."


def duplicated(classes_in: list[set[int]], hard: set[int], copies: int) -> list[int]:
    """Return the indices of the data set, followed by the copies of pictures with a hard class."""
    found = [i for i, classes in enumerate(classes_in) if classes & hard]
    return [*range(len(classes_in)), *found * copies]


@exercise("08/bootstrap", title="Bootstrapping", difficulty=1, minutes=4, gives=list)
def bootstrap(attempt: Callable[[list[set[int]], set[int], int], list[int]]) -> str:
    classes_in = [{0, 1}, {0, 2, 3}, {0}, {0, 3}, {1, 2, 4}]
    for hard, copies in (({3}, 1), ({2, 3}, 2), ({4}, 3), ({1}, 0)):
        call = written("bootstrap", (classes_in, hard, copies))
        got = attempt([set(classes) for classes in classes_in], set(hard), copies)
        if isinstance(got, set | frozenset):
            raise Wrong(
                f"{call} gives a set, which holds each number once: a copy would be lost. Make a list."
            )
        indices = sorted(int(i) for i in answers.sequence(got, call, "a list of picture numbers"))
        want = sorted(duplicated(classes_in, hard, copies))
        found = [i for i, classes in enumerate(classes_in) if classes & hard]
        each = sorted([*range(5), *(i for i in range(5) for _ in range(copies * len(classes_in[i] & hard)))])
        subset = [i for i in range(5) if hard <= classes_in[i]]
        slips = [
            (sorted(found * copies), "Keep the data set itself in front: the copies are added to it."),
            (sorted([*range(5), *found * max(copies - 1, 0)]), "The copies are added to the picture itself."),
            (
                each,
                "A picture with two hard classes is copied twice as often. Once per copy is enough: does it contain "
                "*any* of them?",
            ),
            (
                sorted([*range(5), *subset * copies]),
                "You copy pictures with *all* the hard classes; *any* of them is enough: is the intersection "
                "`classes & hard` empty?",
            ),
        ]
        hint = answers.hint_for(indices, slips)
        require(
            indices == want, f"{call} gives the pictures {indices}, but it should be {want}. {hint}".rstrip()
        )
    return "The network and the loss do not notice: only the choice of pictures has changed."
