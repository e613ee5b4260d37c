"""A model made ready to serve gives the model's answers, and leaves the model alone."""

import copy
import functools
import shutil
import sys
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from profiles import LONG
from randomised import randomise

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.evaluation import predict_probabilities
from dlv3.fast import folded, packed, winograd
from dlv3.fast.folded import FoldedConv2d
from dlv3.fast.packed import COPIES

SMALL = dict(backbone="resnet14", num_classes=5, aspp_rates=(2, 4, 6), aspp_channels=16)
CONFIGS = {
    "small": SMALL,
    "cascade": dict(backbone="resnet14", num_classes=5, aspp_rates=(), blocks=7, multi_grid=(1, 2, 1)),
    "no pooling": SMALL | dict(image_pooling=False),
    "torchvision's": dict(
        num_classes=5,
        aspp_channels=16,
        multi_grid=(1, 1, 1),
        first_unit="previous",
        extra_conv=True,
        aux=True,
    ),
}


@functools.cache
def _built(name: str) -> DeepLabV3:
    return randomise(DeepLabV3(DeepLabV3Config(**CONFIGS[name]))).eval()


def _model(name: str) -> DeepLabV3:
    return copy.deepcopy(_built(name))


def _difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@torch.no_grad()
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
def test_logits_are_the_models_at_any_size_batch_and_stride(name, fused, monkeypatch):
    if not fused:
        monkeypatch.setattr(folded, "fuses", lambda images: False)
    model = _model(name)
    served = model.for_inference()
    for output_stride in (16, 8):
        model.set_output_stride(output_stride)
        served.set_output_stride(output_stride)
        assert served.output_stride == output_stride
        for size in ((1, 3, 65, 97), (3, 3, 33, 33), (1, 3, 5, 40)):
            images = torch.randn(size, generator=torch.Generator().manual_seed(1))
            assert _difference(served.coarse_logits(images), model.coarse_logits(images)) < 1e-5
            assert _difference(served(images), model(images)) < 1e-5


def test_the_model_stays_as_it_was_and_checkpoints_do_not_change(tmp_path):
    model = _model("small").train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    served = model.for_inference()
    served(torch.randn(1, 3, 33, 33))
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert before.keys() == model.state_dict().keys()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    weights.save(model, tmp_path / "model.safetensors")
    weights.load(tmp_path / "model.safetensors")
    with pytest.raises(TypeError, match="save the DeepLabV3 that it was made from"):
        weights.save(served, tmp_path / "served.safetensors")


def test_what_is_trained_later_does_not_come_through():
    model = _model("small")
    served, images = model.for_inference(), torch.randn(1, 3, 33, 33)
    before = served(images)
    torch.nn.init.zeros_(model.backbone.conv1.weight)
    assert torch.equal(served(images), before)


def test_it_has_no_gradients_no_batch_norm_and_no_training():
    served = _model("torchvision's").for_inference()
    assert not served(torch.randn(1, 3, 33, 33, requires_grad=True)).requires_grad
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in served.modules())
    assert not any(m.training for m in served.modules())
    with pytest.raises(RuntimeError, match="train the model that it was made from"):
        served.train()


def test_evaluation_takes_it_as_it_takes_a_model():
    model, images = _model("small"), torch.randn(2, 3, 40, 33)
    ours = predict_probabilities(model.for_inference(), images, scales=(0.5, 1.0), flip=True)
    torch.testing.assert_close(
        ours, predict_probabilities(model, images, (0.5, 1.0), flip=True), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("share", [1e9, 0], ids=["transformed", "packed"])
@pytest.mark.parametrize("change", ["in place", "loaded", "converted", "inference mode"])
def test_weights_that_change_are_prepared_anew(monkeypatch, share, change):
    monkeypatch.setattr(winograd, "MAX_SHARE", share)
    images = torch.randn(1, 3, 33, 33, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode(change == "inference mode"):
        served = _model("no pooling").for_inference()
        # From the second time on with what is prepared.
        before = [served(images) for _ in range(3)][-1]
        if change == "converted":
            served.half().float()
        elif change == "loaded":
            other = _model("no pooling")
            other.backbone.layer3[0].conv2.weight.data.mul_(2)
            served.load_state_dict(other.for_inference().state_dict())
        else:
            with torch.no_grad():
                for module in served.modules():
                    if isinstance(module, FoldedConv2d):
                        module.weight.mul_(1.5)
        found = served(images)
        assert not found.equal(before)
        assert served(images).equal(found)
        monkeypatch.setattr(folded, "fuses", lambda images: False)
        assert _difference(found, served(images)) < 1e-5


def test_bfloat16_is_near_and_comes_back_in_float32():
    model, images = _model("small"), torch.randn(1, 3, 33, 33)
    logits = model.for_inference(dtype=torch.bfloat16)(images)
    assert logits.dtype == torch.float32
    assert 1e-5 < _difference(logits, model(images)) < 0.1
    with pytest.raises(ValueError, match=r"dtype=torch.int8: expected one of torch.float32"):
        model.for_inference(dtype=torch.int8)


def test_weights_are_packed_in_few_layouts():
    served = _model("small").for_inference()
    for side in (17, 17, 33, 33, 49, 49, 65, 65, 129, 129):
        served(torch.randn(1, 3, side, side))
    packed = [len(m._packed) for m in served.modules() if isinstance(m, FoldedConv2d)]
    assert 0 < max(packed) <= COPIES


@pytest.mark.parametrize("output_stride", [8, 16])
def test_the_same_images_have_the_same_logits_whatever_came_before(output_stride):
    """Weights are packed from the second image of a size on, which must not show."""
    served = _model("torchvision's").for_inference()
    served.set_output_stride(output_stride)
    images = torch.randn(2, 3, 129, 97, generator=torch.Generator().manual_seed(1))
    first = served(images)
    for _ in range(2):
        assert served(images).equal(first)
        served(images[:1, :, :65])


class YieldingDict(OrderedDict):
    """Lets another thread run after each look-up, so that what was found may be gone before it is used."""

    def __contains__(self, key: object) -> bool:
        found = super().__contains__(key)
        time.sleep(1e-6)
        return found


@pytest.fixture(name="races", params=["transformed", "packed"])
def let_threads_race(request, monkeypatch):
    """Caches for one entry, 3×3 convolutions through the transformed filters or none, threads that change often."""
    for module in (packed, winograd):
        monkeypatch.setattr(module, "OrderedDict", YieldingDict)
        monkeypatch.setattr(module, "COPIES", 1)
    monkeypatch.setattr(packed, "KNOWN_SIZES", 3)
    monkeypatch.setattr(winograd, "MAX_SHARE", 1e9 if request.param == "transformed" else 0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("races")
@pytest.mark.parametrize(
    "calls",
    [
        40,
        pytest.param(400, marks=pytest.mark.slow),
        pytest.param(10_000, marks=pytest.mark.skipif(not LONG, reason="make faults runs it")),
    ],
)
def test_four_threads_get_the_answers_that_one_gets(calls):
    sizes = [(1, 3, 17, 17), (2, 3, 17, 17), (1, 3, 33, 17), (1, 3, 17, 33), (1, 3, 33, 33), (1, 3, 9, 40)]
    generator = torch.Generator().manual_seed(1)
    pictures = [torch.randn(size, generator=generator) for size in sizes]
    model = _model("small")
    alone, served = model.for_inference(), model.for_inference()
    expected = [alone(images) for images in pictures]
    asked = torch.randint(len(pictures), (calls,), generator=generator).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda number: served(pictures[number]), asked)
        assert all(expected[number].equal(logits) for number, logits in zip(asked, found, strict=True))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 8, 8), r"add the batch axis with images\[None\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "expected floating-point"),
        ("photo.jpg", "expected a tensor"),
    ],
)
def test_bad_images_are_refused_as_the_model_refuses_them(images, message):
    with pytest.raises((TypeError, ValueError), match=message):
        _model("small").for_inference()(images)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_two_compiled_models_of_one_structure_answer_each_for_itself():
    images = torch.randn(1, 3, 33, 33, generator=torch.Generator().manual_seed(1))
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = randomise(DeepLabV3(DeepLabV3Config(**CONFIGS["no pooling"])))
        served = model.for_inference(compile=True)
        assert _difference(served(images), model(images)) < 1e-5
