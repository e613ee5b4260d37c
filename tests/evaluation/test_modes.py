"""A model under evaluation: its mode, output stride and number type, and that it is left as it was."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch
from torch import nn

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.evaluation import EvaluationConfig, at_output_stride, predict_probabilities
from dlv3.evaluation.modes import as_configured, autocast, device_of, evaluating
from dlv3.fast.served import InferenceModel

CPU = torch.device("cpu")
SMALL = DeepLabV3Config(backbone="resnet14", num_classes=3, aspp_rates=(2, 4, 6), aspp_channels=8)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return DeepLabV3(SMALL).eval()


def images_of(height, width, count=2):
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(height + width))


def test_model_runs_in_evaluation_mode_and_keeps_its_own(model):
    images = images_of(64, 64)
    expected = predict_probabilities(model, images)
    model.train()
    try:
        statistics = model.backbone.bn1.running_mean.clone()
        torch.testing.assert_close(predict_probabilities(model, images), expected)
        assert model.training
        assert model.backbone.bn1.training
        assert torch.equal(model.backbone.bn1.running_mean, statistics)
    finally:
        model.eval()


def test_frozen_batch_norm_stays_frozen():
    frozen = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=3, aspp_rates=(2,), aspp_channels=8))
    frozen.freeze_batch_norm()
    frozen.train()
    predict_probabilities(frozen, images_of(32, 32))
    assert frozen.training
    assert not frozen.backbone.bn1.training


def test_module_put_to_sleep_by_hand_stays_asleep():
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).train()
    network[1].eval()
    predict_probabilities(network, images_of(8, 8))
    assert [module.training for module in network.modules()] == [True, True, False]


def test_output_stride_is_changed_and_restored(model):
    images = images_of(64, 64)
    with at_output_stride(model, 8):
        assert model.output_stride == 8
        assert model.aspp.rates == (4, 8, 12)
        assert model.coarse_logits(images).shape[2:] == (8, 8)
    assert model.output_stride == 16
    assert model.aspp.rates == (2, 4, 6)


def test_output_stride_is_restored_after_an_error(model):
    with pytest.raises(RuntimeError, match="on purpose"), at_output_stride(model, 8):
        raise RuntimeError("on purpose")
    assert (model.output_stride, model.aspp.rates) == (16, (2, 4, 6))
    with pytest.raises(ValueError, match="output_stride=64"), at_output_stride(model, 64):
        pass
    assert (model.output_stride, model.aspp.rates) == (16, (2, 4, 6))


def test_no_output_stride_keeps_the_models_own():
    stub = nn.Conv2d(3, 2, 1)  # has none
    with at_output_stride(stub, None) as same:
        assert same is stub


def test_model_that_cannot_change_its_output_stride_is_named():
    message = "output_stride=8: expected None, because a Conv2d cannot change it"
    with pytest.raises(ValueError, match=message), at_output_stride(nn.Conv2d(3, 2, 1), 8):
        pass


def test_no_gradients_are_computed_while_evaluating(model):
    with evaluating(model):
        assert not model(images_of(32, 32)).requires_grad
    assert model(images_of(32, 32)).requires_grad


def test_own_model_runs_in_its_fast_form_and_stays_as_it_is(model):
    with as_configured(model, EvaluationConfig(output_stride=8)) as runner:
        assert isinstance(runner, InferenceModel)
        assert runner.output_stride == 8
    assert model.output_stride == 16


def test_other_model_runs_as_it_is():
    stub = nn.Conv2d(3, 2, 1)
    with as_configured(stub, EvaluationConfig()) as runner:
        assert runner is stub


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_other_model_computes_in_the_type_asked_for(precision):
    stub = nn.Conv2d(3, 2, 1)
    with autocast(stub, precision, CPU):
        assert stub(images_of(4, 4)).dtype == getattr(torch, precision)


def test_fast_form_has_its_type_already(model):
    config = EvaluationConfig(precision="bfloat16")
    with as_configured(model, config) as runner, autocast(runner, "bfloat16", CPU):
        assert not torch.is_autocast_enabled("cpu")


def test_device_is_the_models_unless_another_is_given(model):
    assert device_of(model) == CPU
    assert device_of(model, "cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("training", [True, False])
def test_threads_that_share_a_model_leave_it_in_its_mode(training):
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5)).train(training)
    net[1].eval()
    inside = Barrier(4)

    def predict(number):
        with evaluating(net):
            inside.wait(10)
            modes = [module.training for module in net.modules()]
            if number:
                inside_ended[number - 1].wait(10)
            inside_ended[number].set()
            return modes, [module.training for module in net.modules()]

    inside_ended = [Event() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(predict, range(4)))
    assert all(modes == [False] * 4 for pair in seen for modes in pair)
    assert [module.training for module in net.modules()] == [training, training, False, training]


def test_block_inside_of_a_block_restores_at_the_end_of_the_outer_one():
    net = nn.Dropout()
    with evaluating(net):
        with evaluating(net):
            pass
        assert not net.training
    assert net.training
