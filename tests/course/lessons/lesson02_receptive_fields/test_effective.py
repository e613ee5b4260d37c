"""The square that holds a share of the weight, on weights whose answer is known, and its picture."""

import pytest
import torch
from stills import pixels

from dlv3.course.lessons.lesson02_receptive_fields import effective


def weights(**at: float) -> torch.Tensor:
    """9 × 9 weights: `row_column=share`."""
    made = torch.zeros(9, 9)
    for place, share in at.items():
        _, row, column = place.split("_")
        made[int(row), int(column)] = share
    return made


@pytest.mark.parametrize(
    ("given", "share", "side"),
    [
        (weights(at_4_4=1), 0.95, 1),
        (weights(at_4_4=0.5, at_2_4=0.125, at_6_4=0.125, at_4_2=0.125, at_4_6=0.125), 0.95, 5),
        (weights(at_4_4=0.5, at_2_4=0.125, at_6_4=0.125, at_4_2=0.125, at_4_6=0.125), 0.4, 1),
        (weights(at_1_4=1), 0.95, 7),
        (weights(at_4_0=0.5, at_4_8=0.5), 0.95, 9),
    ],
)
def test_side_is_that_of_the_smallest_square_with_the_share(given, share, side):
    assert effective.side_of_share(given, share) == side
    assert effective.side_of_share(3 * given, share) == side


def test_picture_has_a_white_square_around_the_share():
    white = (pixels(effective.picture(weights(at_4_4=0.5, at_4_6=0.5), 0.95))[:, :, :3] == 255).all(-1)
    wanted = torch.zeros(9, 9, dtype=torch.bool)
    wanted[[2, 6], 2:7] = wanted[2:7, [2, 6]] = True
    assert white.tolist() == wanted.tolist()
