"""One update: what is averaged over what, what moves, and what stays."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from training_runs import short_run

from dlv3.config.run import RunConfig
from dlv3.data import open_dataset
from dlv3.training.batches import Batch, training_batches
from dlv3.training.distributed import Processes
from dlv3.training.start import build_model
from dlv3.training.updates import Updater, autocast_type

CPU = torch.device("cpu")


def trained(config: RunConfig, updates: int = 2) -> Updater:
    updater = Updater(build_model(config), config.training, Processes(CPU))
    batches = training_batches(
        open_dataset("scenes", "train", config.data), config.training, updater.processes
    )
    for iteration in range(updates):
        updater.update(iteration, batches)
    return updater


def weights_of(updater: Updater) -> dict[str, torch.Tensor]:
    return {name: t.clone() for name, t in updater.model.state_dict().items()}


def one_batch(config: RunConfig) -> Batch:
    dataset = open_dataset("scenes", "train", config.data)
    return next(training_batches(dataset, config.training, Processes(CPU)))


def test_update_is_torchs_sgd_on_the_mean_over_labelled_pixels():
    config = short_run(model=dict(dropout=0.0), scale=(0.2, 0.2), warmup=3)  # smaller than the crop
    images, labels = one_batch(config)
    assert 0.3 < (labels == 255).float().mean() < 0.5
    updater, reference = Updater(build_model(config), config.training, Processes(CPU)), build_model(config)
    optimizer = torch.optim.SGD(
        reference.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4, foreach=False
    )
    for iteration in range(3):
        loss = updater.update(iteration, iter([(images, labels)]))
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - iteration / 6) ** 0.9 * (iteration + 1) / 3
        optimizer.zero_grad()
        expected = torch.nn.functional.cross_entropy(reference(images), labels, ignore_index=255)
        expected.backward()
        optimizer.step()
        torch.testing.assert_close(loss, expected.detach())
    for name, tensor in reference.state_dict().items():
        torch.testing.assert_close(updater.model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_accumulated_parts_are_the_big_batch_where_batch_norm_is_frozen():
    options = dict(model=dict(dropout=0.0), batch_size=8, freeze_batch_norm=True)
    whole = weights_of(trained(short_run(**options)))
    parts = weights_of(trained(short_run(**options, accumulate=4)))
    start = build_model(short_run(**options)).state_dict()
    assert any(not torch.equal(whole[name], start[name]) for name in whole)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


def test_frozen_batch_norm_keeps_statistics_and_weights_while_the_rest_learns():
    config = short_run(freeze_batch_norm=True)
    start = build_model(config)
    norms = {name for name, module in start.named_modules() if isinstance(module, torch.nn.BatchNorm2d)}
    updater = trained(config)
    moved = {name for name, t in weights_of(updater).items() if not torch.equal(t, start.state_dict()[name])}
    assert not [name for name in moved if name.rpartition(".")[0] in norms]
    assert "classifier.1.weight" in moved or any(name.startswith("classifier") for name in moved)
    assert any(name.startswith("backbone") for name in moved)


def test_frozen_batch_norm_is_still_frozen_after_a_validation():
    updater = trained(short_run(freeze_batch_norm=True), updates=1)
    updater.model.eval()
    updater.model.train()
    norms = [m for m in updater.model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)


def test_batch_norm_decay_of_the_paper_is_one_minus_torchs_momentum():
    model = build_model(short_run(batch_norm_decay=0.9997))
    momenta = {m.momentum for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)}
    assert [round(momentum, 12) for momentum in momenta] == [0.0003]


def test_running_statistics_move_by_the_decay():
    def moved(decay: float) -> torch.Tensor:
        return trained(short_run(batch_norm_decay=decay), updates=1).model.backbone.bn1.running_mean

    torch.testing.assert_close(moved(0.9), 0.1 / 0.0003 * moved(0.9997), rtol=1e-3, atol=1e-5)


def test_batch_without_a_label_gives_zero_loss_and_finite_weights():
    config = short_run()
    images, labels = one_batch(config)
    updater = Updater(build_model(config), config.training, Processes(CPU))
    assert updater.update(0, iter([(images, torch.full_like(labels, 255))])).item() == 0
    assert updater.all_finite()


def test_downsampled_labels_train_on_the_coarse_logits():
    upsampled, coarse = trained(short_run()), trained(short_run(downsample_labels=True))
    assert coarse.all_finite()
    assert not torch.equal(
        weights_of(upsampled)["backbone.conv1.weight"], weights_of(coarse)["backbone.conv1.weight"]
    )


def test_training_lowers_the_loss():
    config = short_run(model=dict(dropout=0.0), iterations=30, scale=(1.0, 1.0))
    updater = Updater(build_model(config), config.training, Processes(CPU))
    batch: Iterator[Batch] = itertools.repeat(one_batch(config))
    losses = [updater.update(iteration, batch).item() for iteration in range(30)]
    assert losses[-1] < losses[0] / 2


def test_compiled_module_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch):
    compiled = []

    def compile_(module: torch.nn.Module) -> torch.nn.Module:
        compiled.append(module)
        return module

    monkeypatch.setattr(torch, "compile", compile_)
    trained(short_run(compile=True), updates=1)
    assert len(compiled) == 1


def test_bfloat16_is_chosen_where_it_is_asked_for():
    assert autocast_type("bfloat16", CPU) is torch.bfloat16
    assert autocast_type("float32", CPU) is None


def test_part_of_one_picture_is_refused_unless_batch_norm_is_frozen():
    config = short_run()
    with pytest.raises(ValueError, match="would learn from one picture at a time"):
        replace(config.training, batch_size=2, accumulate=2)
    replace(config.training, batch_size=2, accumulate=2, freeze_batch_norm=True)


def test_batch_that_cannot_be_shared_is_refused():
    config = short_run()
    with pytest.raises(ValueError, match=r"cannot be shared equally by 3 processes .* multiple of 3"):
        Updater(build_model(config), config.training, Processes(CPU, 0, 3))
