"""A training's running statistics, averaged again with another momentum, are those that it would have collected."""

import copy

import pytest
import torch
from torch import nn

from dlv3.course.lessons.lesson08_training.running_statistics import put, replay, statistics


def net(momentum):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1), nn.BatchNorm2d(2)]
    for norm in layers[1::2]:
        norm.momentum = momentum
    return nn.Sequential(*layers).double()


def collected(momentum):
    model, generator = net(momentum), torch.Generator().manual_seed(1)
    rows = [statistics(model)]
    for _ in range(5):
        with torch.no_grad():
            model(torch.randn(3, 3, 4, 4, generator=generator, dtype=torch.float64))
        rows.append(statistics(model))
    return rows


@pytest.mark.parametrize("momentum", [0.0003, 0.1, 0.3])
def test_replay_is_what_the_other_momentum_collects(momentum):
    torch.testing.assert_close(replay(collected(0.1), momentum), collected(momentum)[-1])


def test_put_gives_the_statistics_back():
    rows, model = collected(0.1), net(0.1)
    before = copy.deepcopy(dict(model.named_parameters()))
    put(model, rows[-1])
    assert torch.equal(statistics(model), rows[-1])
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
