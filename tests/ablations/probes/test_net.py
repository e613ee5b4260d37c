import pytest
import torch

from dlv3.ablations.probes.expectation import MAP_SIDE
from dlv3.ablations.probes.net import ProbeConfig, ProbeNet, open_task, run_probe, task_tensors, train_probe
from dlv3.data.made.markers import SIZE


def parameters(**options) -> int:
    return sum(p.numel() for p in ProbeNet(ProbeConfig("markers:mixed", **options), 4).parameters())


def test_parallel_branches_have_as_many_weights_as_one():
    # Exactly as many: 64 channels of 3×3 over 32, however the branches divide them.
    assert parameters(rates=(1,)) == parameters(rates=(18,)) == parameters(rates=(4, 10, 18)) == 37_460


def test_a_stack_of_equal_rates_does_not_see_the_cells_in_its_holes():
    net = ProbeNet(ProbeConfig("cells:near", stack=(2, 2, 2)), 4).eval()
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    net(images)[0, :, 64, 64].sum().backward()  # one pixel of cell (16, 16)
    by_cell = torch.nn.functional.max_pool2d(images.grad.abs().sum(dim=1), 4)[0]  # (32, 32)
    seen = by_cell.nonzero()
    assert len(seen) > 40
    assert ((seen - 16) % 2 == 0).all()
    assert (seen - 16).abs().max() == 6


def test_the_output_stride_of_a_probe_changes_no_weight():
    shapes = {
        tuple(p.shape for p in ProbeNet(ProbeConfig("cells:dots", output_stride=s), 4).parameters())
        for s in (4, 8, 16, 32)
    }
    assert len(shapes) == 1


def test_image_pooling_lets_the_far_corner_have_a_say():
    for image_pooling in (False, True):
        net = ProbeNet(ProbeConfig("markers:image", rates=(1,), image_pooling=image_pooling), 4).eval()
        images = torch.rand(1, 3, 129, 129, requires_grad=True)
        net(images)[0, :, 0, 0].sum().backward()
        assert bool(images.grad[:, :, 100:, 100:].any()) == image_pooling


def test_the_same_seed_trains_the_same_network():
    dataset = open_task(ProbeConfig("cells:far"), "train", 8)
    images = torch.stack([dataset[i][0].as_subclass(torch.Tensor) for i in range(8)])
    labels = torch.stack([dataset[i][1].as_subclass(torch.Tensor) for i in range(8)])
    nets = [
        train_probe(ProbeConfig("cells:far", stack=(1,), iterations=2, seed=seed), images, labels, 4)
        for seed in (0, 0, 1)
    ]
    first, again, other = (net.state_dict()["classifier.0.weight"] for net in nets)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_an_unknown_task_is_refused():
    with pytest.raises(ValueError, match="task='maze:one': expected markers:KIND, cells:KIND or ground"):
        run_probe(ProbeConfig("maze:one", rates=(1,)))


def test_a_rate_as_large_as_the_map_makes_the_filter_a_1x1():
    net = ProbeNet(ProbeConfig("ground", rates=(MAP_SIDE,)), 4).eval()
    images = torch.rand(2, 3, SIZE, SIZE)
    before = net(images)
    weight = net.branches[0][0].weight
    with torch.no_grad():
        weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 9.0
    assert torch.equal(net(images), before)
    net.branches[0][0].set_rate(MAP_SIDE - 1)
    assert not torch.equal(net(images), before)


def test_a_task_is_drawn_once_a_process(monkeypatch):
    task_tensors("cells:far", 48, "train", 9)
    monkeypatch.setattr("dlv3.ablations.probes.net.open_task", lambda *_: pytest.fail("drawn again"))
    images, labels = task_tensors("cells:far", 48, "train", 9)
    assert (len(images), len(labels)) == (9, 9)
