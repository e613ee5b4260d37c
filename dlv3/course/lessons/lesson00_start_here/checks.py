"""Checks of lesson 00, the first look."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlv3.course.kit.answers import entries, hint_for, number, sequence
from dlv3.course.kit.exercises import Wrong, close, equal, exercise, require, written


@exercise("00/logits-shape", title="The logits' shape", difficulty=1, minutes=2)
def logits_shape(attempt: Any) -> str:
    if isinstance(attempt, Tensor) and attempt.ndim > 1:
        raise Wrong(
            f"`logits_shape` is what the model says of {len(attempt)} pictures. Its shape is `.shape`: "
            "`model(images).shape`."
        )
    given = sequence(attempt, "`logits_shape`", "four numbers, such as (1, 2, 3, 4)")
    hints = {
        (8, 129, 129): "The batch counts too, as the first axis: two pictures went in.",
        (1, 8, 129, 129): "The batch holds two pictures.",
        (2, 3, 129, 129): "Red, green and blue go in. What comes out is a score for each class.",
        (2, 7, 129, 129): "The background is a class like the others.",
        (2, 8, 9, 9): "That is the map before it is upsampled to the picture. The model upsamples it.",
        (2, 129, 129, 8): "In PyTorch the channels, here the classes, are on axis 1.",
        (2, 129, 129): "That is what `argmax` leaves. A logit is a class's score; all eight scores are kept.",
    }
    equal(given, (2, 8, 129, 129), "`logits_shape`", hints)
    return "Eight scores for each pixel of each picture. The largest one names the pixel's class."


@exercise("00/count-classes", title="The classes in a scene", difficulty=1, minutes=3)
def count_classes(attempt: Callable[[Tensor], int]) -> str:
    cases = {
        "three classes": ([[0, 0, 5], [0, 7, 7]], 3),
        "one class": ([[4, 4], [4, 4]], 1),
        "unlabelled pixels": ([[0, 255, 2], [255, 255, 2]], 2),
        "unlabelled pixels and no background": ([[255, 6, 6], [1, 6, 1]], 2),
    }
    for name, (rows, want) in cases.items():
        mask = torch.tensor(rows, dtype=torch.uint8)
        different = len(set(mask.flatten().tolist()))
        hints: dict[Any, str] = {
            int(mask.max()) + 1: "The largest class is not the number of classes: some may not occur.",
            int(mask.max()): "That is the largest class, not the number of classes.",
            different: "255 is not a class: it marks pixels without a label. Leave them out. (Turned into 0 they "
            "would count as background.)",
            mask.numel(): "That counts pixels. How many *different* numbers are there?",
            want
            - 1: "That is one too few. The background, 0, is a class like the others, and where no pixel is 255 "
            "nothing is left out.",
        }
        equal(attempt(mask.clone()), want, f"`count_classes({rows})` ({name})", hints)
    return "`unique` is the first thing to run on masks you have never seen: it shows a stray class at once."


@exercise("00/miou-by-hand", title="mIOU by hand", difficulty=1, minutes=4)
def miou_by_hand(attempt: dict[str, float]) -> str:
    right = {"IOU of class 0": 4 / 6, "IOU of class 1": 2 / 4, "mIOU": 7 / 12}
    slips = {
        "IOU of class 0": [
            (4 / 5, "You divided by the pixels of one mask. The union holds those that are 0 in *either*."),
            (4 / 10, "The shared pixels are counted twice in your union."),
        ],
        "IOU of class 1": [
            (2 / 3, "You divided by the pixels of one mask. The union holds those that are 1 in *either*."),
            (2 / 6, "The shared pixels are counted twice in your union."),
        ],
        "mIOU": [
            (6 / 8, "That is the share of right pixels. mIOU is the mean of the classes' IOUs."),
            (
                6 / 10,
                "You summed the intersections and the unions first. Each class counts the same: take the mean.",
            ),
        ],
    }
    given = entries(attempt, tuple(right))
    for name, want in right.items():
        got = given[name]
        if isinstance(got, str):
            raise Wrong(
                f"`{name}` is the text {got!r}; write a number or a fraction such as 3 / 8, without quotes."
            )
        got = number(got, f"`{name}`")
        share = got / 100 if got > 1 else got  # percent are fine too
        close(share, want, f"`{name}`", tolerance=0.006, hint=hint_for(share, slips[name], 0.006))
    return (
        "Six of eight pixels are right, yet the mIOU is 58%: the rare class weighs as much as the common one."
    )


def _ious(prediction: Tensor, truth: Tensor, num_classes: int) -> list[tuple[float, float]]:
    """Return the (intersection, union) of each class."""
    pairs = [((prediction == c), (truth == c)) for c in range(num_classes)]
    return [((p & t).sum().item(), (p | t).sum().item()) for p, t in pairs]


def _of_classes(counts: list[tuple[float, float]]) -> list[float]:
    """Return each class's IOU; 0 where the union is empty."""
    return [i / u if u else 0.0 for i, u in counts]


def _masks(most: int, extra: int | None = None) -> tuple[Tensor, Tensor]:
    """Return prediction and truth with classes below `most`; the prediction alone may have one more."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, most, (6, 6), generator=generator)
    prediction = torch.where(torch.rand(6, 6, generator=generator) < 0.6, truth, truth.roll(1, 1))
    if extra is not None:
        prediction[0, 0] = extra
    return prediction, truth


@exercise("00/miou", title="mIOU in code", difficulty=2, minutes=6, gives=float)
def miou(attempt: Callable[[Tensor, Tensor, int], float]) -> str:
    cases = (
        (3, _masks(3), ""),
        (5, _masks(3), ", with classes 3 and 4 in neither mask,"),
        (4, _masks(3, extra=3), ", with class 3 in the prediction alone,"),
        (7, _masks(7), ""),
    )
    for num_classes, (prediction, truth), absent in cases:
        counts = _ious(prediction, truth, num_classes)
        ious = [i / u for i, u in counts if u]
        want = sum(ious) / len(ious)
        call = written("miou", (prediction, truth, num_classes)) + absent
        got = attempt(prediction.clone(), truth.clone(), num_classes)
        value = float(number(got, call))
        present = [
            iou for iou, c in zip(_of_classes(counts), range(num_classes), strict=True) if (truth == c).any()
        ]
        right = (prediction == truth).float().mean().item()
        empty_as_one = (sum(ious) + num_classes - len(ious)) / num_classes
        summed_first = sum(i for i, _ in counts) / sum(u for _, u in counts)
        slips = [
            (right, "That is the share of right pixels."),
            (sum(ious) / num_classes, "Leave out a class that occurs in neither mask: its union is empty."),
            (
                empty_as_one,
                "A class in neither mask does not count as right either: leave it out of the mean.",
            ),
            (
                summed_first,
                "You summed over the classes first. Divide for each class, then take the mean.",
            ),
            (
                sum(present) / len(present),
                "A class that only the prediction has counts too, with an IOU of 0: it is a mistake.",
            ),
            (sum(ious), "That is the sum. Divide by the number of classes that occur."),
            (100 * want, "That is in percent; give it from 0 to 1."),
            (
                sum(ious[1:]) / len(ious[1:]),
                "Class 0, the background, is missing: it counts like the others.",
            ),
        ]
        require(
            value == value, f"{call} is not a number: an empty union divides 0 by 0. Leave that class out."
        )
        close(value, want, call, tolerance=1e-6, hint=hint_for(value, slips))
    return "The metric of the paper's section 4, and of every table in this course."
