"""Check of lesson 08's masked loss: the mean over the labelled pixels, stable, with its gradient."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlv3.course.kit import answers
from dlv3.course.kit.exercises import Wrong, close, exercise, require, written

IGNORE = 255


@exercise("08/masked-loss", title="The masked loss", difficulty=3, minutes=8)
def masked_loss(attempt: Callable[[Tensor, Tensor], Tensor]) -> str:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator)
    labels[0, :3] = IGNORE
    call = written("masked_loss", (logits, labels)) + " with labels 255 among them"
    got, want = _loss_of(attempt, logits, labels, call), F.cross_entropy(logits, labels, ignore_index=IGNORE)
    close(got, want, call, hint=_loss_slip(got, logits, labels))
    large = _loss_of(attempt, 1000 * logits, labels, call)
    require(
        bool(torch.isfinite(large)),
        f"With logits near 1000 your loss is {large.item()}: `exp` of such a large number is infinite, and so is the "
        "log of a probability that rounds to 0. Take the log-softmax in one step: `F.log_softmax`, or "
        "`logits - logits.logsumexp(1, keepdim=True)`.",
    )
    close(large, F.cross_entropy(1000 * logits, labels, ignore_index=IGNORE), call + " and logits near 1000")
    unlabelled = torch.full_like(labels, IGNORE)
    nothing = _loss_of(attempt, logits, unlabelled, "`masked_loss` of labels that are all 255")
    require(
        bool(nothing == 0),
        f"A batch without any label has the loss {nothing.item()}: 0 / 0. It must be 0, or the weights become nan "
        "too: divide by `.clamp(min=1)`.",
    )
    return "The logits keep the labels' size, and a pixel without a label adds nothing: no loss, no gradient."


def _loss_of(
    attempt: Callable[[Tensor, Tensor], Tensor], logits: Tensor, labels: Tensor, call: str
) -> Tensor:
    leaf = logits.clone().requires_grad_()
    try:
        got = answers.tensor(attempt(leaf, labels.clone()), call)
    except (RuntimeError, IndexError) as error:
        if "out of bounds" in str(error) or "Class values must be smaller" in str(error):
            raise Wrong(
                "A label of 255 is not the number of a class, so `gather` and `one_hot` stop there. Put some class in "
                "its place first, `torch.where(kept, labels, 0)`, and leave those pixels out of the sum."
            ) from None
        raise
    require(
        got.shape == (), f"{call} has the shape {tuple(got.shape)}; the loss is one number: sum and divide."
    )
    require(
        got.requires_grad,
        f"{call} has lost its gradient: no `.item()`, `.detach()` or `.data` on the way from the logits to the loss.",
    )
    return got.detach()


def _loss_slip(got: Tensor, logits: Tensor, labels: Tensor) -> str:
    kept = labels != IGNORE
    zeros = torch.where(kept, labels, 0)
    of_pixels = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="none")
    by_picture = of_pixels.sum((1, 2)) / kept.sum((1, 2))
    as_class_0 = F.cross_entropy(logits, zeros, reduction="sum") / kept.sum()
    turned = [
        (
            -(logits.log_softmax(axis).gather(1, zeros[:, None])[:, 0] * kept).sum() / kept.sum(),
            f"The softmax runs over axis {axis}. The classes are on axis 1.",
        )
        for axis in (0, 2, 3)
    ]
    slips = [
        *turned,
        (of_pixels.sum(), "That is the sum. Divide by the number of labelled pixels."),
        (of_pixels.mean(), "You divide by all pixels. Only those that are labelled count: `kept.sum()`."),
        (F.cross_entropy(logits, zeros), "Pixels labelled 255 are trained on as class 0 here."),
        (as_class_0, "Pixels labelled 255 are in the sum, as class 0: multiply by the mask."),
        (
            by_picture.mean(),
            "You take the mean of the pictures' losses; a picture with few labels then weighs as much as a full one. "
            "Sum over the whole batch, and divide once.",
        ),
        (-of_pixels.sum() / kept.sum(), "The sign is wrong: the loss is minus the log-probability."),
    ]
    return answers.hint_for(got, slips)
