"""Batch normalization over two processes is batch normalization over the whole batch."""

from pathlib import Path

import torch
from child_processes import in_processes
from torch import nn

from dlv3.training.distributed import joined
from dlv3.training.sync_batch_norm import SyncedBatchNorm2d, synchronise_batch_norm

CPU = torch.device("cpu")


def _normalise_share(folder: Path, images: torch.Tensor, gradient: torch.Tensor) -> None:
    with joined("cpu") as processes:
        model = nn.Sequential(nn.BatchNorm2d(5, momentum=0.3))
        model[0].load_state_dict(torch.load(folder / "norm.pt"))
        synchronise_batch_norm(model, CPU)
        share = slice(0, 3) if processes.rank == 0 else slice(3, 4)  # unequal shares
        x = images[share].clone().requires_grad_()
        y = model(x)
        y.backward(gradient[share])
        found = dict(y=y.detach(), x=x.grad, weight=model[0].weight.grad, bias=model[0].bias.grad)
        torch.save((found, model[0].state_dict()), folder / f"{processes.rank}.pt")


def test_synchronised_batch_norm_is_batch_norm_over_all_processes(tmp_path: Path):
    generator = torch.Generator().manual_seed(0)
    images = 3 + 2 * torch.randn(4, 5, 7, 6, generator=generator)
    gradient = torch.randn(4, 5, 7, 6, generator=generator)
    norm = nn.BatchNorm2d(5, momentum=0.3)
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2)
        norm.bias.uniform_(-1, 1)
    torch.save(norm.state_dict(), tmp_path / "norm.pt")
    in_processes(2, _normalise_share, tmp_path, images, gradient)
    x = images.clone().requires_grad_()
    y = norm(x)
    y.backward(gradient)
    shares = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    close = dict(rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(torch.cat([found["y"] for found, _ in shares]), y.detach(), **close)
    torch.testing.assert_close(torch.cat([found["x"] for found, _ in shares]), x.grad, **close)
    for name in ("weight", "bias"):  # what data parallelism adds up
        total = sum(found[name] for found, _ in shares)
        torch.testing.assert_close(total, getattr(norm, name).grad, **close)
    for _, state in shares:
        for name, tensor in norm.state_dict().items():
            torch.testing.assert_close(state[name], tensor, **close)


def test_names_and_weights_stay_and_evaluation_is_plain():
    model = nn.Sequential(nn.Conv2d(3, 5, 1), nn.BatchNorm2d(5))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    expected = model.eval()(images)
    synchronise_batch_norm(model, CPU)
    assert type(model[1]) is SyncedBatchNorm2d
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert torch.equal(model(images), expected)
