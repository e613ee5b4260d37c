"""Small trainings from a seed, and the figures of runs: their scores, and rows that rise and fall together."""

import math
from collections.abc import Mapping
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.plots import BLUE, GREEN, VERMILLION
from dlv3.data.made.cells import CellMarkers

Rates = tuple[int, ...]
REACH = 6
"""Cells to each side of a target that are kept: as far as a marker may lie from it."""
BATCH = 64


@cache
def targets(split: str, pictures: int) -> tuple[Tensor, Tensor]:
    """Return 13 × 13 cells around each pale cell, (N, 3, 13, 13), and the colour of its marker, (N,)."""
    data, around, colours = CellMarkers("near", split, pictures=pictures), [], []
    for index in range(pictures):
        image, labels = (part[..., 1::4, 1::4].as_subclass(Tensor) for part in data[index])
        padded = F.pad((image.float() - 127.5) / 64, (REACH,) * 4)  # one pixel a cell
        for row, column in (labels != 255).nonzero().tolist():
            around.append(padded[:, row : row + 2 * REACH + 1, column : column + 2 * REACH + 1])
            colours.append(labels[row, column].item())
    return torch.stack(around), torch.tensor(colours)


def stack(rates: Rates) -> nn.Sequential:
    """Return a 1×1, a 3×3 for each rate and a classifier; from a stack's field of view to four logits."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for rate in rates:
        layers += [nn.Conv2d(16, 16, 3, dilation=rate, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(16, 4, 1), nn.Flatten())


def run(rates: Rates, seed: int, updates: int = 60) -> float:
    """Train a stack from a seed. Returns the percent of the test's targets that it names."""
    torch.manual_seed(seed)  # start weights, batches and turns all follow from here
    edge = REACH - sum(rates)  # cells that no path reaches
    window = slice(edge, 2 * REACH + 1 - edge)
    network = stack(rates).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, updates, pct_start=0.15)
    cells, colours = targets("train", 600)
    for _ in range(updates):
        chosen, quarters = torch.randint(len(cells), (BATCH,)), int(torch.randint(4, ()))
        x = cells[..., window, window][chosen].rot90(quarters, (2, 3))
        loss = F.cross_entropy(network(x.contiguous(memory_format=torch.channels_last)), colours[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    cells, colours = targets("test", 300)
    answers = network.eval()(cells[..., window, window]).argmax(1)
    return 100 * float((answers == colours).double().mean())


def runs_figure(runs: Mapping[Rates, Mapping[int, float]]) -> Figure:
    """Draw each run as its seed's number, at its score, with one line for each stack of rates."""
    figure, axis = plt.subplots(figsize=(7.6, 2.6))
    for place, by_seed in enumerate(runs.values()):
        last, steps = -math.inf, 0
        for seed, score in sorted(by_seed.items(), key=lambda run: run[1]):
            colour = (BLUE, VERMILLION, GREEN)[place]
            # Numbers that would lie upon each other go up, one step each.
            last, steps = (last, steps + 1) if score - last < 1 else (score, 0)
            axis.annotate(
                str(seed),
                (score, place - 0.32 * steps),
                ha="center",
                va="center",
                fontweight="bold",
                color=colour,
            )
    axis.set_yticks(range(len(runs)), [f"rates {rates}" for rates in runs])
    axis.set(xlim=(25, 75), ylim=(2.6, -0.6), xlabel="targets named, in %")
    axis.set_title("The same three networks from four seeds")
    return figure


def rows_figure(rows: Mapping[str, Mapping[int, float]], title: str) -> Figure:
    """Draw rows of a table by seed, one line a row."""
    figure, axis = plt.subplots(figsize=(6.4, 3.2))
    seeds = sorted(set.intersection(*(set(row) for row in rows.values())))
    for name, row in rows.items():
        axis.plot(seeds, [row[seed] for seed in seeds], label=name)
    axis.set_xticks(seeds)
    axis.set(title=title, xlabel="seed", ylabel="mIOU in %")
    axis.legend(fontsize=8)
    return figure
