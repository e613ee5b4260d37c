"""The cells of lesson 05: what a network learns from, the exam it takes, and pictures of both."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.course.kit.plots import BLUE, INK, ORANGE, SKY, VERMILLION, show_image
from dlv3.data.made.cells import CellMarkers
from dlv3.data.made.markers import COLOURS
from dlv3.receptive_field import places_read

# Cells: a marker is at most so far from its target along each axis, and no stack of the lesson reads further than this.
MARKER, FARTHEST = 6, 7
SIDE = 2 * FARTHEST + 1

Place = tuple[int, int]
Rates = tuple[int, ...]


def targets_of(pictures: CellMarkers) -> tuple[Tensor, Tensor]:
    """Cut every target out of the pictures, with the cells around it.

    Returns:
        (N, 3, 15, 15) mean colours of cells around 0, the target in the middle; (N, 1, 1) its marker's colour, 0 to 3.
    """
    cut, classes = [], []
    for index in range(len(pictures)):
        cells = F.avg_pool2d(pictures[index][0] / 64 - 2, 4)  # (3, 32, 32)
        cells = F.pad(cells, (FARTHEST,) * 4)
        for (row, column), _, colour in pictures.layout(index):
            cut.append(cells[:, row : row + SIDE, column : column + SIDE])
            classes.append(colour)
    return torch.stack(cut), torch.tensor(classes)[:, None, None]


def exam_of(asked: Sequence[Place], seed: int = 0) -> Tensor:
    """Return a question for every place where a marker may be and every colour, in the pictures' own grey noise.

    Args:
        asked: rows and columns from the target to its marker.
        seed: of the noise.

    Returns:
        (len(asked) * 4, 3, 15, 15): all colours of the first place, then of the second.
    """
    generator = torch.Generator().manual_seed(seed)
    size = (len(asked), len(COLOURS), 1, SIDE, SIDE, 16)
    noise = 70 + torch.randint(64, size, generator=generator).float().mean(-1)
    exam = noise.expand(-1, -1, 3, -1, -1).clone()
    exam[:, :, :, FARTHEST, FARTHEST] = 235
    for index, (row, column) in enumerate(asked):
        exam[index, :, :, FARTHEST + row, FARTHEST + column] = torch.tensor(COLOURS).float()
    return exam.flatten(0, 1) / 64 - 2


def spanned(rates: Rates, cells: Tensor) -> Tensor:
    """Return the middle of (..., 15, 15) cells that a stack of 3×3 layers spans."""
    margin = FARTHEST - sum(rates)
    return cells[..., margin : SIDE - margin, margin : SIDE - margin]


def train(
    network: nn.Module, rates: Rates, targets: Tensor, classes: Tensor, updates: int = 200
) -> nn.Module:
    """Train a stack on targets with Adam, the learning rate up to 0.01 and down again; pictures turned by quarters."""
    cells, peak = spanned(rates, targets), 0.01
    # Quicker on CPUs.
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=peak)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, updates, pct_start=0.15)
    for _ in range(updates):
        chosen, quarters = torch.randint(len(cells), (128,)), int(torch.randint(4, ()))
        turned = cells[chosen].rot90(quarters, (-2, -1))
        loss = F.cross_entropy(network(turned.contiguous(memory_format=torch.channels_last)), classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


@torch.no_grad()
def told(network: nn.Module, rates: Rates, exam: Tensor) -> Tensor:
    """Return the share of the four colours that a network tells, at each place of an exam."""
    answers = network(spanned(rates, exam)).argmax(1).view(-1, len(COLOURS))
    shares: Tensor = (answers == torch.arange(len(COLOURS))).float().mean(1)
    return shares


def _around(axis: Axes, image: Tensor, target: Place, title: str) -> None:
    """Draw the 17 × 17 cells around a target, with the square of places where its marker may be."""
    (row, column), side = target, FARTHEST + 1
    show_image(axis, image.permute(1, 2, 0), title)
    axis.set_xlim(4 * (column - side) - 0.5, 4 * (column + side + 1) - 0.5)
    axis.set_ylim(4 * (row + side + 1) - 0.5, 4 * (row - side) - 0.5)
    corner = (4 * (column - MARKER) - 0.5, 4 * (row - MARKER) - 0.5)
    wide = 4 * (2 * MARKER + 1)
    axis.add_patch(Rectangle(corner, wide, wide, fill=False, ls="--", lw=1.5, color="white"))


def cells_figure(pictures: CellMarkers, picture: int, target: int) -> Figure:
    """Draw a picture, and the cells around one of its targets."""
    image, place = pictures[picture][0], pictures.layout(picture)[target][0]
    figure, axes = plt.subplots(1, 2, figsize=(8, 4))
    show_image(axes[0], image.permute(1, 2, 0), "a picture, 128 × 128 px or 32 × 32 cells")
    _around(axes[1], image, place, "one target, and where its marker may be")
    return figure


def patterns_figure(
    pictures: CellMarkers, picture: int, target: int, shares: Mapping[Rates, float]
) -> Figure:
    """Draw what stacks read around a target: a square on a cell that is read, a cross on a hole.

    Args:
        pictures: where the target is.
        picture, target: their numbers.
        shares: for the titles, the share of the places that each stack reads.
    """
    image, (row, column) = pictures[picture][0], pictures.layout(picture)[target][0]
    figure, axes = plt.subplots(1, len(shares), figsize=(11, 3.2), squeeze=False)
    squares = {"marker": "s", "s": 26, "facecolors": "none", "edgecolors": SKY, "linewidths": 1.4}
    crosses = {"marker": "x", "s": 16, "color": ORANGE, "linewidths": 1}
    for axis, (rates, share) in zip(axes[0], shares.items(), strict=True):
        _around(axis, image, (row, column), f"{rates}: {share:.0%} of the places")
        read, reach = places_read(rates), sum(rates)
        for down, right in itertools.product(range(-reach, reach + 1), repeat=2):
            style = squares if down in read and right in read else crosses
            axis.scatter(4 * (column + right) + 1.5, 4 * (row + down) + 1.5, **style)
    return figure


def told_figure(by_place: Mapping[Rates, Tensor], asked: Sequence[Place]) -> Figure:
    """Draw maps of the places around a target: bright where a network tells all four colours."""
    figure, axes = plt.subplots(1, len(by_place), figsize=(11, 3.1), squeeze=False)
    for axis, (rates, shares) in zip(axes[0], by_place.items(), strict=True):
        grid = torch.full((2 * MARKER + 1, 2 * MARKER + 1), torch.nan)
        for (row, column), value in zip(asked, shares, strict=True):
            grid[row + MARKER, column + MARKER] = 100 * value
        edge = MARKER + 0.5
        drawn = axis.imshow(grid.numpy(), vmin=0, vmax=100, extent=(-edge, edge, edge, -edge))
        axis.scatter(0, 0, marker="o", s=30, color=VERMILLION)
        ticks = range(-MARKER, MARKER + 1, 3)
        axis.set(title=f"rates {rates}: {100 * shares.mean():.0f}%", xticks=ticks, yticks=ticks)
        axis.grid(False)
        axis.set_xlabel("columns to the marker")
    axes[0, 0].set_ylabel("rows to the marker")
    figure.colorbar(drawn, ax=axes, label="colours told, in %", ticks=[0, 25, 50, 75, 100])
    return figure


def ceilings_figure(recorded: Mapping[str, Sequence[float]], ceilings: Mapping[str, float]) -> Figure:
    """Draw recorded runs as dots under bars: the score of what their rates read, and the rest guessed."""
    figure, axis = plt.subplots(figsize=(8, 3.6))
    for at, (name, scores) in enumerate(recorded.items()):
        ceiling = "by construction: seen, and the rest guessed"
        axis.plot(
            [at - 0.3, at + 0.3], [ceilings[name]] * 2, color=INK, marker="", ls="-", lw=2,
            label=None if at else ceiling,
        )  # fmt: skip
        spread = torch.linspace(-0.12, 0.12, len(scores))
        axis.plot(
            at + spread, scores, color=BLUE, marker="o", ls="", label=None if at else "a recorded run, one seed"
        )  # fmt: skip
    axis.axhline(25, color=INK, ls=":", marker="")
    axis.set(title="P5: a marker at any of 168 places", ylim=(20, 105), xlabel="rates")
    axis.set_ylabel("targets right, in %")
    axis.set_xticks(range(len(recorded)), list(recorded))
    axis.legend(loc="upper left")
    return figure
