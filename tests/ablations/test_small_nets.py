import pytest
import torch
from torch import nn

from dlv3.ablations.small_nets import CHANNELS, shared_widths, train_by_adam


@pytest.mark.parametrize("branches", range(7))
def test_branches_share_the_channels_evenly(branches):
    widths = shared_widths(branches)
    assert len(widths) == branches
    assert sum(widths) == (CHANNELS if branches else 0)
    assert not widths or max(widths) - min(widths) <= 1


def test_training_follows_a_gradient_with_a_learning_rate_that_rises_and_falls():
    net = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(0)
    steps, last = [], 0.0

    def loss() -> torch.Tensor:
        nonlocal last
        steps.append(net.weight.item() - last)
        last = net.weight.item()
        return -net.weight.sum()

    train_by_adam(net, 100, 0.01, loss)
    # Adam's step under a constant gradient is the learning rate; each one is seen at the next call.
    assert len(steps) == 100
    assert steps[0] == 0
    assert max(steps) == pytest.approx(0.01 * (1 - 20 / 100) ** 0.9, rel=0.02)
    assert 0 < steps[1] < steps[10] < steps[20]
    assert steps[30] > steps[60] > steps[99] > 0
