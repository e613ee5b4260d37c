"""The commonest errors of torch and Python get a sentence that names what to change."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlv3.course.kit.advice import advice

_X = torch.zeros(2, 3, 4, 4)


def _in_place():
    weight = nn.Parameter(torch.ones(2))
    weight *= 2


def _unset():
    if _X.numel() == 0:
        total = 0
    total += 1


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        (lambda: torch.zeros(1).sum().backward(), "requires_grad=True"),
        (lambda: torch.zeros(2, requires_grad=True).backward(), "starts from one number"),
        (lambda: torch.cat([_X, torch.zeros(2, 5, 4, 4)]), "`dim=1`"),
        (lambda: torch.cat([_X, torch.zeros(2, 3, 1, 1)], dim=1), "`.expand(-1, -1, h, w)`"),
        (lambda: nn.Conv2d(6, 1, 1)(_X), "reads 6 channels and was given 3"),
        (lambda: nn.Conv2d(3, 1, 1)(_X.mean((2, 3))), "`keepdim=True`"),
        (lambda: F.interpolate(torch.ones(1, 1, 2, 2).long(), size=4, mode="bilinear"), "`.float()` first"),
        (_in_place, "in place of `w *= 2`"),
        (lambda: 1 if _X > 0 else 0, "a whole tensor"),
        (lambda: F.conv2d(_X.double(), torch.zeros(1, 3, 1, 1)), "different types"),
        (lambda: _X.shape(), "no parentheses"),
        (lambda: _X.sum - 1, "parentheses after it are missing"),
        (lambda: (1, 2) - 1, "not a vector"),
        (lambda: None + 1, "is `None`"),
        (lambda: (lambda x: x)(y=1), "as in the stub"),
        (lambda: [1] * 0.5, "repeats it"),
        (_unset, "first value"),
    ],
)
def test_the_error_is_explained(slip, says):
    with pytest.raises((RuntimeError, TypeError, ValueError, UnboundLocalError)) as found:
        slip()
    assert says in advice(found.value)


def test_other_errors_stand_for_themselves():
    assert advice(ZeroDivisionError("division by zero")) == ""
