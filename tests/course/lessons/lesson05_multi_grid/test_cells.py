"""The cells of lesson 05: targets cut out of pictures, the exam, and the figures."""

import pytest
import torch
from matplotlib import pyplot as plt
from torch import nn

from dlv3.course.lessons.lesson05_multi_grid import cells
from dlv3.data.made.cells import CellMarkers
from dlv3.receptive_field import places_read

ASKED = [(0, 1), (-6, 6)]


class Teller(nn.Module):
    """Tells the colour of the cell at one place, and nothing if no marker is there."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__()
        self.row, self.column = row, column

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x[:, :, self.row, self.column] * 64 + 128  # (N, 3)
        colours = torch.tensor(cells.COLOURS).float()
        return -torch.cdist(seen, colours)[:, :, None, None]


@pytest.fixture(scope="module")
def pictures():
    return CellMarkers("near", "train", pictures=6)


def test_targets_have_their_marker_around_them(pictures):
    targets, classes = cells.targets_of(pictures)
    assert targets.shape == (18, 3, 15, 15)
    assert classes.shape == (18, 1, 1)
    target, marker, colour = pictures.layout(5)[1]
    place = [7 + marker[axis] - target[axis] for axis in (0, 1)]
    assert classes[16].item() == colour
    assert (targets[16, :, place[0], place[1]] * 64 + 128).tolist() == list(cells.COLOURS[colour])


def test_exam_asks_every_colour_at_every_place():
    exam = cells.exam_of(ASKED)
    assert exam.shape == (8, 3, 15, 15)
    assert cells.told(Teller(7, 8), (1, 2, 4), exam).tolist() == [1, pytest.approx(0.25)]
    # A stack of rates (1, 1, 1) spans 7 × 7 cells, with the target in the middle.
    assert cells.spanned((1, 1, 1), exam).shape == (8, 3, 7, 7)
    assert cells.told(Teller(3, 4), (1, 1, 1), exam)[0] == 1


def test_training_changes_the_network_and_ends_in_evaluation(pictures):
    targets, classes = cells.targets_of(pictures)
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    before = network[0].weight.clone()
    trained = cells.train(network, (1,), targets, classes, updates=2)
    assert not trained.training
    assert not torch.equal(before, network[0].weight)


def test_figures_title_what_they_show(pictures):
    titles = {
        "picture": cells.cells_figure(pictures, 5, 1),
        "(2, 2, 2): 29%": cells.patterns_figure(pictures, 5, 1, {(2, 2, 2): 48 / 168, (1, 1, 1): 48 / 168}),
        "(1,): 50%": cells.told_figure({(1,): torch.tensor([0.0, 1.0])}, ASKED),
        "P5": cells.ceilings_figure({"(1, 1, 1)": [40.0, 50.0]}, {"(1, 1, 1)": 50.5}),
    }
    for start, figure in titles.items():
        assert start in figure.axes[0].get_title()
        plt.close(figure)


def test_holes_are_crossed_and_places_read_are_framed(pictures):
    figure = cells.patterns_figure(pictures, 5, 1, {(2,): 0.05})
    marks = figure.axes[0].collections
    assert len(marks) == 25
    assert sum(len(mark.get_facecolor()) == 0 for mark in marks) == 9
    plt.close(figure)


@pytest.mark.slow
def test_the_open_task_can_be_done():
    """After 60 updates rates of shorter reach, which read all places too, are ahead of (1, 2, 4)."""
    pictures = CellMarkers("near", "train", pictures=400)
    asked = pictures.offsets()
    (targets, classes), exam = cells.targets_of(pictures), cells.exam_of(asked)
    scores = {}
    for rates in ((1, 2, 4), (1, 2, 3)):
        assert {(row, column) for row in places_read(rates) for column in places_read(rates)} >= set(asked)
        torch.manual_seed(0)
        layers = [layer for rate in rates for layer in _convolution(16, 16, 3, rate)]
        network = nn.Sequential(
            *_convolution(3, 16, 1), *layers, *_convolution(16, 32, 1), nn.Conv2d(32, 4, 1)
        )
        trained = cells.train(network, rates, targets, classes, updates=60)
        scores[rates] = cells.told(trained, rates, exam).mean()
    assert scores[1, 2, 4] < scores[1, 2, 3] - 0.03


def _convolution(inputs: int, outputs: int, kernel_size: int, rate: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel_size, dilation=rate, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
