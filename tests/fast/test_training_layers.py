"""A model switched to the faster gradients is the same model: names, answers, gradients, and what is done with it."""

import copy
import pickle
import runpy

import pytest
import torch
from layer_gradients import gradients, made
from randomised import randomise
from torch import nn
from torch.export import Dim
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dlv3 import DeepLabV3, DeepLabV3Config, fast, weights
from dlv3.atrous import AtrousConv2d
from dlv3.config.training import TrainingConfig
from dlv3.fast import for_training, tap_gradient, winograd_gradient
from dlv3.fast.folded import FoldedConv2d
from dlv3.fast.training_layers import TrainingConv2d
from dlv3.training.distributed import Processes
from dlv3.training.updates import Updater

SMALL = DeepLabV3Config(
    backbone="resnet14", num_classes=5, aspp_rates=(6, 12, 18), aspp_channels=16, dropout=0.0
)


def kinds(model: nn.Module) -> set[type]:
    return {type(m) for m in model.modules() if isinstance(m, nn.Conv2d)}


@pytest.fixture(name="ways")
def count_ways(monkeypatch) -> list[str]:
    """The faster ways that were taken, in order."""
    taken: list[str] = []
    for name, module in (("winograd", winograd_gradient), ("taps", tap_gradient)):
        ours = module.atrous_conv2d
        monkeypatch.setattr(
            module, "atrous_conv2d", lambda *a, name=name, ours=ours: taken.append(name) or ours(*a)
        )
    return taken


def test_it_changes_the_layers_in_place_and_nothing_else():
    model = DeepLabV3(SMALL)
    before = {name: (id(p), tuple(p.shape)) for name, p in model.named_parameters()}
    geometry = [(m.stride, m.padding, m.dilation) for m in model.modules() if isinstance(m, AtrousConv2d)]
    assert for_training(model) is model
    assert kinds(model) == {TrainingConv2d, nn.Conv2d}
    assert {name: (id(p), tuple(p.shape)) for name, p in model.named_parameters()} == before
    assert geometry == [
        (m.stride, m.padding, m.dilation) for m in model.modules() if isinstance(m, AtrousConv2d)
    ]
    assert list(model.state_dict()) == list(DeepLabV3(SMALL).state_dict())
    assert kinds(for_training(model)) == {TrainingConv2d, nn.Conv2d}
    assert {"for_training", "for_inference"} <= set(fast.__all__)


def test_a_subclass_keeps_its_own_way():
    folded = FoldedConv2d(AtrousConv2d(2, 3), nn.BatchNorm2d(3).eval(), relu=True)
    assert type(for_training(folded)) is FoldedConv2d


def test_a_bias_that_was_folded_into_a_layer_counts():
    plain = fuse_conv_bn_eval(AtrousConv2d(2, 3).eval(), randomise(nn.BatchNorm2d(3)))
    images = torch.randn(1, 2, 9, 9)
    expected = plain(images)
    assert plain.bias.abs().min() > 0
    assert torch.equal(for_training(plain)(images), expected)


@pytest.mark.parametrize(
    ("supported", "min_rate", "column"),
    [(True, 1, 0), (True, 4, 1), (False, 4, 2)],
    ids=["AVX2", "AVX512", "none"],
)
@pytest.mark.parametrize(
    ("layer", "size", "taken"),
    [
        (dict(in_channels=256, out_channels=256, rate=2), 17, ("winograd", "winograd", None)),
        (dict(in_channels=256, out_channels=8, rate=1), 9, ("taps", None, None)),
        (dict(in_channels=256, out_channels=8, rate=6), 9, ("taps", "taps", "taps")),
        (dict(in_channels=256, out_channels=8, rate=9), 9, (None, None, None)),
        (dict(in_channels=256, out_channels=8, rate=2, stride=2), 9, (None, None, None)),
        (dict(in_channels=256, out_channels=8, kernel_size=1, stride=2), 9, (None, None, None)),
        (dict(in_channels=8, out_channels=8, rate=4), 9, (None, None, None)),
    ],
)
def test_each_way_has_the_plain_layers_outputs_and_gradients(
    layer, size, taken, supported, min_rate, column, ways, monkeypatch
):
    monkeypatch.setattr(winograd_gradient, "SUPPORTED", supported)
    monkeypatch.setattr(tap_gradient, "MIN_RATE", min_rate)
    torch.manual_seed(0)
    plain = AtrousConv2d(**layer)
    ours = for_training(copy.deepcopy(plain))
    images = made((4, layer["in_channels"], size, size), 0, torch.float32)
    expected, found = plain(images), ours(images)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()
    for our, their in zip(
        gradients(found, images, ours.weight), gradients(expected, images, plain.weight), strict=True
    ):
        assert (our - their).abs().max() < 1e-5 * their.abs().max()
    assert ways == ([] if taken[column] is None else [taken[column]])


@pytest.mark.parametrize(
    ("vectors", "supported", "min_rate"), [("AVX2", True, 1), ("AVX512", True, 4), ("DEFAULT", False, 4)]
)
def test_the_processor_decides_which_ways_there_are(vectors, supported, min_rate, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: vectors)
    assert runpy.run_path(winograd_gradient.__file__)["SUPPORTED"] is supported
    assert runpy.run_path(tap_gradient.__file__)["MIN_RATE"] == min_rate


@pytest.mark.parametrize("output_stride", [8, 16])
def test_a_models_logits_and_gradients_are_the_plain_ones(output_stride):
    torch.manual_seed(0)
    plain = randomise(DeepLabV3(SMALL)).double()
    plain.set_output_stride(output_stride)
    ours = for_training(copy.deepcopy(plain))
    images = made((2, 3, 65, 81), 1)
    found, expected = ours(images), plain(images)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    for our, their in zip(
        gradients(found, images, *ours.parameters()),
        gradients(expected, images, *plain.parameters()),
        strict=True,
    ):
        torch.testing.assert_close(our, their, rtol=1e-9, atol=1e-9)


def test_it_is_copied_pickled_and_saved_as_the_model_that_it_is(tmp_path):
    model = for_training(randomise(DeepLabV3(SMALL)))
    images = torch.randn(1, 3, 65, 65)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert kinds(copied) == {TrainingConv2d, nn.Conv2d}
        assert torch.equal(copied(images), model(images))
    weights.save(model, tmp_path / "model.safetensors")
    loaded = weights.load(tmp_path / "model.safetensors")
    assert kinds(loaded) == {AtrousConv2d, nn.Conv2d}
    torch.testing.assert_close(loaded(images), model(images), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(model.for_inference()(images), loaded(images), rtol=1e-4, atol=1e-4)


def test_rates_and_strides_still_change_in_place():
    model = for_training(randomise(DeepLabV3(SMALL)))
    plain = randomise(DeepLabV3(SMALL))
    plain.load_state_dict(model.state_dict())
    images = torch.randn(1, 3, 65, 65)
    for network in (model, plain):
        network.set_output_stride(8)
        network.backbone.set_multi_grid((1, 2, 1))
    torch.testing.assert_close(model(images), plain(images), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_compiled_exported_and_traced_code_is_the_plain_convolution(ways):
    torch.manual_seed(0)
    layer = for_training(AtrousConv2d(256, 4, rate=6))
    images = torch.randn(2, 256, 9, 9)
    expected = F.conv2d(images, layer.weight, padding=6, dilation=6)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    assert torch.equal(compiled(images), expected)
    sizes = ({0: Dim("N"), 2: Dim("H", min=4, max=2048), 3: Dim("W", min=4, max=2048)},)
    exported = torch.export.export(layer, (images,), dynamic_shapes=sizes).module()
    traced = torch.jit.trace(layer, images[:, :, :5, :5])
    for made_of in (exported, traced):
        torch.testing.assert_close(made_of(images), expected)
    assert ways == []


def test_the_trainer_switches_it_on():
    training = TrainingConfig(batch_size=2, precision="float32")
    updater = Updater(DeepLabV3(SMALL), training, Processes(torch.device("cpu")))
    assert kinds(updater.model) == {TrainingConv2d, nn.Conv2d}
