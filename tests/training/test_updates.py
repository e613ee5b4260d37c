"""One update: what is averaged over what, what moves, and what stays."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import torch
from training_runs import short_run

from dlv3.atrous import AtrousConv2d
from dlv3.config.run import RunConfig
from dlv3.data import open_dataset
from dlv3.fast.training_layers import TrainingConv2d
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
    assert any(name.startswith("classifier") for name in moved)
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


@pytest.mark.slow
def test_compiled_update_is_the_plain_one(monkeypatch: pytest.MonkeyPatch):
    # Captured by torch.compile, without the minute that its own compiler takes.
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    config = short_run(model=dict(dropout=0.0))
    plain, compiled = (
        weights_of(trained(replace(config, training=replace(config.training, compile=on)), updates=2))
        for on in (False, True)
    )
    for name, tensor in plain.items():
        torch.testing.assert_close(compiled[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_faster_gradients_are_switched_on_and_names_and_weights_stay():
    config = short_run()
    updater, plain = Updater(build_model(config), config.training, Processes(CPU)), build_model(config)
    layers = [m for m in updater.model.modules() if isinstance(m, AtrousConv2d)]
    assert layers
    assert all(type(layer) is TrainingConv2d for layer in layers)
    assert updater.model.state_dict().keys() == plain.state_dict().keys()
    assert all(torch.equal(t, plain.state_dict()[name]) for name, t in updater.model.state_dict().items())


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_network_computes_in_the_precision_asked_for(precision: str):
    config = short_run(precision=precision)
    updater = Updater(build_model(config), config.training, Processes(CPU))
    seen = []
    updater.model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    loss = updater.update(0, iter([one_batch(config)]))
    assert seen == [getattr(torch, precision)]
    assert loss.dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in updater.model.parameters())


@pytest.mark.parametrize("channels_last", [False, True])
def test_weights_are_laid_out_as_configured(channels_last: bool):
    config = short_run(channels_last=channels_last)
    weight = Updater(build_model(config), config.training, Processes(CPU)).model.backbone.conv1.weight
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert weight.is_contiguous(memory_format=layout)


def test_state_continues_where_it_was_taken():
    config = short_run(model=dict(dropout=0.0))
    whole, first = trained(config, updates=3), trained(config, updates=2)
    resumed = Updater(
        build_model(short_run(model=dict(dropout=0.0), seed=1)), config.training, Processes(CPU)
    )
    resumed.restore(first.state(), "checkpoint.pt")
    dataset = open_dataset("scenes", "train", config.data)
    resumed.update(2, training_batches(dataset, config.training, resumed.processes, first=2))
    for name, tensor in weights_of(whole).items():
        torch.testing.assert_close(weights_of(resumed)[name], tensor, rtol=1e-5, atol=1e-6, msg=name)


def test_state_of_another_optimizer_is_refused():
    config = short_run()
    frozen = short_run(freeze_batch_norm=True)
    updater = Updater(build_model(frozen), frozen.training, Processes(CPU))
    state = trained(config, updates=1).state()
    with pytest.raises(
        ValueError, match=r"checkpoint\.pt: its optimizer does not fit .*freeze_batch_norm and"
    ):
        updater.restore(state, "checkpoint.pt")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_update_on_a_gpu_is_that_of_the_cpu(precision: str):
    config = short_run(model=dict(dropout=0.0), precision=precision, learning_rate=0.01)
    batch = one_batch(config)
    ours, theirs = (
        Updater(build_model(config), config.training, Processes(torch.device(device)))
        for device in ("cuda", "cpu")
    )
    for iteration in range(2):
        losses = [updater.update(iteration, iter([batch])).item() for updater in (ours, theirs)]
        assert losses[0] == pytest.approx(losses[1], rel=1e-3 if precision == "float32" else 0.03)
    assert all(p.is_cuda for p in ours.model.parameters())
    assert ours.all_finite()


def test_bfloat16_is_chosen_where_it_is_asked_for():
    assert autocast_type("bfloat16", CPU) is torch.bfloat16
    assert autocast_type("float32", CPU) is None


@pytest.mark.parametrize(("supported", "expected"), [(True, torch.bfloat16), (False, None)])
def test_auto_is_bfloat16_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, supported: bool, expected: torch.dtype | None
):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    assert autocast_type("auto", CPU) is expected


def test_auto_is_float32_where_torch_cannot_tell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert autocast_type("auto", CPU) is None


def test_part_of_one_picture_is_refused_unless_batch_norm_is_frozen():
    config = short_run()
    with pytest.raises(ValueError, match="would learn from one picture at a time"):
        replace(config.training, batch_size=2, accumulate=2)
    replace(config.training, batch_size=2, accumulate=2, freeze_batch_norm=True)


def test_batch_that_cannot_be_shared_is_refused():
    config = short_run()
    with pytest.raises(ValueError, match=r"cannot be shared equally by 3 processes .* multiple of 3"):
        Updater(build_model(config), config.training, Processes(CPU, 0, 3))
