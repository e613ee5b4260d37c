"""The optimizer that is asked for, and a learning rate of its own for the pretrained front."""

import pytest
import torch
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.training import TrainingConfig
from dlv3.training.optimizer import FACTOR, front_parameters, make_optimizer, set_learning_rate
from dlv3.training.restoring import CheckpointError, restore_optimizer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model():
    config = DeepLabV3Config(backbone="resnet17", num_classes=3, output_stride=4, aspp_channels=8, blocks=5)
    return DeepLabV3(config)


def names_of(model: nn.Module, parameters) -> set[str]:
    wanted = {id(p) for p in parameters}
    return {name for name, p in model.named_parameters() if id(p) in wanted}


def test_front_is_stem_to_block3(model):
    names = names_of(model, front_parameters(model))
    assert {name.split(".")[1] for name in names} == {"conv1", "bn1", "layer1", "layer2", "layer3"}
    assert all(name.startswith("backbone.") for name in names)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_front_learns_with_its_share_of_the_learning_rate(model, kind):
    training = TrainingConfig(optimizer=kind, learning_rate=0.2, front_learning_rate=0.05)
    optimizer = make_optimizer(model, training, CPU)
    set_learning_rate(optimizer, 0.1)
    rest, front = optimizer.param_groups
    assert (rest["lr"], front["lr"]) == (0.1, pytest.approx(0.005))
    assert names_of(model, front["params"]) == names_of(model, front_parameters(model))
    every = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(every) == sorted(id(p) for p in model.parameters())


def test_one_learning_rate_for_all_is_one_group_in_the_models_order(model):
    [group] = make_optimizer(model, TrainingConfig(), CPU).param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]


def test_parameters_that_are_held_are_left_out(model):
    front = front_parameters(model)
    front[0].requires_grad_(False)
    try:
        optimizer = make_optimizer(model, TrainingConfig(front_learning_rate=0.5), CPU)
        assert id(front[0]) not in {id(p) for group in optimizer.param_groups for p in group["params"]}
    finally:
        front[0].requires_grad_(True)


def test_adamw_is_torchs_own_with_the_configured_decay(model):
    optimizer = make_optimizer(model, TrainingConfig(optimizer="adamw", weight_decay=0.01), CPU)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert all(group["weight_decay"] == 0.01 for group in optimizer.param_groups)


def test_a_front_that_does_not_learn_keeps_its_weights():
    config = DeepLabV3Config(backbone="resnet17", num_classes=3, output_stride=4, aspp_channels=8)
    model = DeepLabV3(config)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = make_optimizer(model, TrainingConfig(optimizer="adamw", front_learning_rate=0.0), CPU)
    set_learning_rate(optimizer, 0.01)
    model(torch.randn(2, 3, 33, 33)).square().mean().backward()
    optimizer.step()
    changed = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert changed
    assert not changed & names_of(model, front_parameters(model))


def test_state_of_another_optimizer_is_refused_and_one_without_factors_is_taken(model):
    sgd = make_optimizer(model, TrainingConfig(), CPU)
    adamw = make_optimizer(model, TrainingConfig(optimizer="adamw"), CPU)
    for optimizer in (sgd, adamw):
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    with pytest.raises(CheckpointError, match="it is of another optimizer"):
        restore_optimizer(sgd, {"optimizer": adamw.state_dict()}, 1, "checkpoint.pt")
    older = sgd.state_dict()
    for group in older["param_groups"]:
        del group[FACTOR]
    restore_optimizer(sgd, {"optimizer": older}, 1, "checkpoint.pt")
    set_learning_rate(sgd, 0.3)
    assert sgd.param_groups[0]["lr"] == 0.3
