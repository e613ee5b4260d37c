"""Lesson 08's figures. Each says in words what it shows, and refuses numbers that its words do not fit."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from matplotlib import pyplot as plt
from torch import Tensor

from dlv3.ablations.headline import in_words
from dlv3.ablations.headline_plot import headline_figure
from dlv3.ablations.paper.headlines import Group
from dlv3.ablations.results import Record
from dlv3.course.kit.plots import BLUE, INK, show, show_image
from dlv3.course.kit.recorded import above
from dlv3.course.lessons.lesson08_training.training_board import TrainingBoard
from dlv3.data import SegmentationDataset
from dlv3.data.palette import colourise
from dlv3.data.transforms import TrainTransform

UNLABELLED = 119
GROUPS = (
    Group(
        "The protocol (Table 8), against all of it",
        "T8",
        "all of it",
        {
            "labels shrunk": "labels downsampled",
            "batch norm not fine-tuned": "batch normalization not fine-tuned",
            "crop 321": "crop 321",
        },
    ),
    Group(
        "The batch (Table 9), against 16 pictures",
        "T9",
        "batch 16",
        {f"{n} pictures": f"batch {n}" for n in (12, 8, 4)},
    ),
)


def untrained(dataset: SegmentationDataset, index: int, answer: Tensor, score: float) -> None:
    """Draw a scene, its mask, and the answer of a network that was not trained."""
    assert score < 0.1
    picture, labels = dataset[index]
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.1))
    show_image(axes[0], picture.permute(1, 2, 0), "a scene")
    show_image(axes[1], colourise(labels, dataset.palette), "its true classes")
    show_image(axes[2], colourise(answer, dataset.palette), "the untrained answer")
    show(
        figure,
        "A scene, its mask, and what the untrained network says: large blotches of a few classes that have "
        "nothing to do with the shapes.",
    )


def clouds(runs: Mapping[str, Sequence[float]]) -> None:
    """Draw the distance of many one-weight trainings from the best weight, under each policy."""
    constant, step, poly = (np.mean(squares[-5:]) for squares in runs.values())
    assert list(runs) == ["constant", "step", "poly"]
    assert step < poly < constant / 10
    figure, axis = plt.subplots()
    for name, squares in runs.items():
        axis.plot(range(0, len(squares), 8), squares[::8], label=name, markevery=20)
    axis.set(yscale="log", title="Distance from the best weight under three policies", xlabel="update")
    axis.set_ylabel("mean square distance")
    axis.legend()
    show(
        figure,
        "On a logarithmic scale. All three fall fast to about 0.1. The constant one stays there. Step falls off "
        "two cliffs, to about 0.01 and then on towards 0.003. Poly glides down all the way, slowly at first and "
        "steeply at the end, to below 0.01.",
    )


def crops(dataset: SegmentationDataset, index: int) -> None:
    """Draw four random crops of one picture, above their labels."""
    transform = TrainTransform(crop_size=129, scale=(0.5, 2.0))
    no_label = np.full((256 - len(dataset.palette), 3), UNLABELLED, np.uint8)
    colours = np.vstack([dataset.palette, no_label])
    torch.manual_seed(3)
    draws = [transform(*dataset[index]) for _ in range(4)]
    unlabelled = [(labels == 255).float().mean().item() for _, labels in draws]
    assert max(unlabelled) > 0.3
    assert min(unlabelled) == 0
    figure, axes = plt.subplots(2, 4, figsize=(9, 4.7))
    mean, std = torch.tensor(transform.mean), torch.tensor(transform.std)
    for column, ((image, labels), share) in enumerate(zip(draws, unlabelled, strict=True)):
        picture = (image.permute(1, 2, 0) * std + mean).clamp(0, 1)
        show_image(axes[0, column], picture, f"draw {column + 1}")
        show_image(axes[1, column], colours[labels], f"{share:.0%} without a label")
    show(
        figure,
        "Four crops of one scene above their labels. Some are enlarged pieces, full of labels; others show the "
        "whole scene, shrunk, with a flat frame around it, which is grey in the labels below.",
    )


def landing(mean_valid: Callable[[int, int], float]) -> None:
    """Draw how many of a filter's weights meet the map of a crop."""
    at_321, at_513 = ([round(mean_valid(crop, rate), 2) for rate in (6, 12, 18)] for crop in (321, 513))
    assert (at_321, at_513) == ([5.9, 3.45, 1.65], [6.95, 5.17, 3.64])
    sides = list(range(129, 898, 16))
    figure, axis = plt.subplots()
    for rate in (6, 12, 18):
        axis.plot(sides, [mean_valid(crop, rate) for crop in sides], label=f"rate {rate}", markevery=6)
    for crop in (321, 513, 769):
        axis.axvline(crop, color=INK, ls=":", marker="")
        axis.annotate(f"{crop}", (crop, 9.1), ha="center", annotation_clip=False)
    axis.set(title="What a crop leaves of ASPP's filters at output stride 16\n", ylim=(0, 9))
    axis.set(xlabel="side of the crop in pixels", ylabel="weights on the map, of 9")
    axis.legend()
    show(
        figure,
        "Three rising curves, one a rate. At a crop of 321 the filters of rate 6, 12 and 18 meet the map with 5.90, "
        "3.45 and 1.65 weights, at 513 with 6.95, 5.17 and 3.64; at 769, Cityscapes' crop, with more.",
    )


def progress(board: TrainingBoard, dataset: SegmentationDataset, index: int, losses: Sequence[float]) -> None:
    """Draw one scene's answer at four times of the recorded training."""
    times = (15, 60, 120, 240)
    snapshots = [board.snapshots[updates] for updates in times]
    assert np.mean(losses[-15:]) < np.mean(losses[:15]) / 2
    assert snapshots[1].miou < snapshots[-1].miou
    assert 0.45 < snapshots[-1].miou < 0.53  # the open task starts from 49%
    first = snapshots[0].predictions
    assert (first[first > 0] == dataset.classes.index("disc")).mean() > 0.9
    figure, axes = plt.subplots(1, 5, figsize=(10.5, 2.6))
    show_image(axes[0], dataset[index][0].permute(1, 2, 0), "the scene")
    for axis, updates, snapshot in zip(axes[1:], times, snapshots, strict=True):
        answer = colourise(snapshot.predictions[index], dataset.palette)
        show_image(axis, answer, f"after {updates} updates")
    show(
        figure,
        "A scene, and the network's answer to it after 15, 60, 120 and 240 updates: one blob of the class disc; a "
        "disc and a second blob; the same with a triangle; at last a disc, two squares and a triangle with rounded "
        "corners, and a piece of the ring.",
    )


def momenta(scores: Mapping[float, float], own: float) -> None:
    """Draw the score of one set of weights over the momentum, and with each batch's own statistics."""
    assert scores[0.1] - scores[0.0003] > 6
    assert own > scores[0.0003] + 5
    figure, axis = plt.subplots()
    axis.plot(list(scores), list(scores.values()), color=BLUE)
    axis.axhline(own, color=INK, ls="--", marker="")
    axis.set(xscale="log", ylim=(0, 60), title="The same weights after 240 updates, other running statistics")
    axis.set(xlabel="momentum of batch normalization (PyTorch's)", ylabel="mIOU in %")
    axis.set_xticks(list(scores), [f"{momentum:g}" for momentum in scores])
    axis.minorticks_off()
    show(
        figure,
        "The score over the momentum. It is highest from about 0.03 to 0.3, falls below 0.01, and at 0.0003, the "
        "paper's, it is more than 6 points below the score at 0.1. A dashed line, the score with each batch's own "
        "statistics, lies near the top.",
    )


def protocol(records: Sequence[Record]) -> None:
    """Draw what each change of Tables 8 and 9 costs: in the paper, and in the recorded runs."""
    costs = [
        above(records, group.table, group.plain, row).mean for group in GROUPS for row in group.rows.values()
    ]
    assert min(costs) > 1
    assert all(few < more for few, more in pairwise(costs[3:]))  # the smaller the batch, the dearer
    words = in_words(records, GROUPS).replace("above a plain network", "above the full recipe")
    show(headline_figure(records, GROUPS), words)
