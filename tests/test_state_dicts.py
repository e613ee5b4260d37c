import warnings

import pytest
import torch
from randomised import randomise

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.state_dicts import WeightsError, load_state_dict, read, unwrapped

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)
BARE = {"conv1.weight": torch.zeros(1), "bn1.bias": torch.ones(2)}


def with_prefix(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in BARE.items()}


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (with_prefix("module."), "'module.'"),
        (with_prefix("_orig_mod."), "'_orig_mod.'"),
        (with_prefix("module._orig_mod."), "'module.'.*'_orig_mod.'"),
        (with_prefix("model."), "'model.'"),
        ({"model": BARE, "optimizer": {"state": {}}, "epoch": 3}, "entry 'model'"),
        ({"state_dict": with_prefix("module."), "epoch": 3}, "entry 'state_dict'.*'module.'"),
        ({"model_state_dict": BARE}, "entry 'model_state_dict'"),
    ],
)
def test_wrapped_weights_are_unwrapped_and_it_says_so(tmp_path, state, said):
    torch.save(state, tmp_path / "wrapped.pth")
    with pytest.warns(UserWarning, match=f"wrapped.pth: .*{said}"):
        found = read(tmp_path / "wrapped.pth")
    assert found.keys() == BARE.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in BARE.items())


def test_a_bare_state_dict_is_taken_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unwrapped(BARE) == BARE
        assert unwrapped({}) == {}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([1, 2], "expected tensors by name, a state dict, got list"),
        ({"epoch": 3}, "its entry 'epoch' is of type int; expected tensors by name"),
        ({3: torch.zeros(1)}, "its entry 3 is of type Tensor"),
        ({"model": {"weight": [1.0]}}, "its entry 'weight' is of type list"),
    ],
)
def test_what_is_no_state_dict_is_refused_in_one_line(state, message):
    with pytest.raises(WeightsError, match=f"file: {message}"):
        unwrapped(state, "file")


def test_missing_counters_count_as_zero():
    model = randomise(DeepLabV3(SMALL))
    state = {name: t for name, t in model.state_dict().items() if "num_batches_tracked" not in name}
    other = DeepLabV3(SMALL)
    other.backbone.bn1.num_batches_tracked.fill_(5)
    load_state_dict(other, state)
    assert other.backbone.bn1.num_batches_tracked == 0
    assert all(torch.equal(other.state_dict()[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("classifier.1.bias", torch.zeros(8, dtype=torch.int64), r"is \(8,\) of int64, in this model \(8,\)"),
        ("classifier.1.bias", torch.zeros(8, dtype=torch.complex64), r"of complex64, in this model"),
        ("classifier.1.bias", torch.zeros(8).to_sparse(), "in this model"),
        ("backbone.bn1.num_batches_tracked", torch.tensor(0.5), "in this model .* of int64"),
    ],
)
def test_tensors_of_another_kind_are_named(name, tensor, message):
    model = DeepLabV3(SMALL)
    with pytest.raises(WeightsError, match=message):
        load_state_dict(model, model.state_dict() | {name: tensor})


def test_half_precision_weights_load():
    model = DeepLabV3(SMALL)
    load_state_dict(
        model, {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    )
