"""Probabilities over scales and flips: identities, against brute force, and what they may cost."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from live_peak import peak_bytes
from randomised import randomise
from torch import nn
from torch.nn import functional as F

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.evaluation import PAPER_SCALES, predict_labels, predict_probabilities
from dlv3.evaluation.inference import NotFiniteError, resize_images, scaled_size


def images_of(height, width, count=2):
    return torch.randn(count, 3, height, width, generator=torch.Generator().manual_seed(height + width))


class Stub(nn.Module):
    """Logits at a quarter of the size, without `coarse_logits`: any segmentation network."""

    def __init__(self, num_classes=5):
        super().__init__()
        self.conv = nn.Conv2d(3, num_classes, 3, stride=4, padding=1)

    def forward(self, images):
        return self.conv(images)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)
    model = randomise(DeepLabV3(config))
    last = model.classifier[-1]
    with torch.no_grad():  # logits of mean 0 and spread 2 for each class, as different as a trained network's
        logits = model.coarse_logits(images_of(129, 129))
        gain = 2 / logits.std(dim=(0, 2, 3))
        last.bias.sub_(logits.mean(dim=(0, 2, 3))).mul_(gain)
        last.weight.mul_(gain[:, None, None, None])
    return model


def brute_force(model, images, scales, flip):
    """The mean of softmax outputs, written as plainly as can be."""
    size, views = images.shape[2:], []
    with torch.no_grad():
        for scale in scales:
            resized = resize_images(images, scaled_size(size, scale))
            views.append(F.interpolate(model.coarse_logits(resized), size, mode="bilinear").softmax(1))
            if flip:
                mirrored = model.coarse_logits(resized.flip(3)).flip(3)
                views.append(F.interpolate(mirrored, size, mode="bilinear").softmax(1))
    return torch.stack(views).mean(0)


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (50, 33)])
def test_one_view_is_softmax_of_the_logits(model, size):
    images = images_of(*size)
    with torch.no_grad():
        expected = model(images).softmax(1)
    probabilities = predict_probabilities(model, images)
    assert probabilities.shape == (2, 8, *size)
    torch.testing.assert_close(probabilities, expected)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("scales", [(1.0,), (0.5,), (0.5, 1.0, 1.75), PAPER_SCALES])
def test_equals_mean_of_each_views_probabilities(model, scales, flip):
    images = images_of(65, 49)
    probabilities = predict_probabilities(model, images, scales, flip)
    torch.testing.assert_close(probabilities, brute_force(model, images, scales, flip))
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2, 65, 49))


def test_mean_is_over_probabilities_not_logits(model):
    images = images_of(64, 64)
    scales = (0.5, 1.0)
    with torch.no_grad():
        logits = [
            F.interpolate(
                model.coarse_logits(resize_images(images, scaled_size((64, 64), s))),
                (64, 64),
                mode="bilinear",
            )
            for s in scales
        ]
    of_logits = torch.stack(logits).mean(0).softmax(1)
    assert not torch.allclose(predict_probabilities(model, images, scales), of_logits, atol=1e-3)


@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.25)])
def test_with_flip_the_mirror_image_gives_the_mirrored_result(model, scales):
    images = images_of(65, 49)
    straight = predict_probabilities(model, images, scales, flip=True)
    mirrored = predict_probabilities(model, images.flip(3), scales, flip=True)
    torch.testing.assert_close(mirrored.flip(3), straight)
    # Without flip it does not.
    without = predict_probabilities(model, images.flip(3), scales, flip=False).flip(3)
    assert not torch.allclose(without, predict_probabilities(model, images, scales), atol=1e-3)


def test_order_of_scales_does_not_matter(model):
    images = images_of(40, 40)
    torch.testing.assert_close(
        predict_probabilities(model, images, (0.5, 1.0, 1.5)),
        predict_probabilities(model, images, (1.5, 0.5, 1.0)),
    )


@pytest.mark.parametrize(("scales", "flip"), [((1.0,), False), ((0.75,), False), ((0.5, 1.0), True)])
def test_labels_are_the_most_probable_classes(model, scales, flip):
    images = images_of(65, 49)
    probabilities = predict_probabilities(model, images, scales, flip)
    labels = predict_labels(model, images, scales, flip)
    assert labels.dtype == torch.int64
    # Where the two best are a rounding error apart, either is right.
    chosen = probabilities.gather(1, labels[:, None])[:, 0]
    torch.testing.assert_close(chosen, probabilities.amax(1), atol=1e-6, rtol=0)
    assert (labels == probabilities.argmax(1)).float().mean() > 0.999


def test_any_module_will_do():
    stub = Stub()
    images = images_of(32, 48)
    with torch.no_grad():
        expected = F.interpolate(stub(images), (32, 48), mode="bilinear").softmax(1)
    torch.testing.assert_close(predict_probabilities(stub, images), expected)
    assert torch.equal(predict_labels(stub, images), predict_probabilities(stub, images).argmax(1))


def test_logits_at_full_size_are_not_changed_in_place():
    class Constant(nn.Module):
        def forward(self, images):
            return self.logits

    constant = Constant()
    constant.logits = torch.randn(1, 3, 8, 8)
    before = constant.logits.clone()
    predict_probabilities(constant, torch.zeros(1, 3, 8, 8))
    assert torch.equal(constant.logits, before)


@given(st.integers(1, 4000), st.integers(1, 4000), st.sampled_from(PAPER_SCALES))
def test_scaled_size_is_the_nearest_whole_number_halves_up(height, width, scale):
    for side, scaled in zip((height, width), scaled_size((height, width), scale), strict=True):
        assert scaled >= 1
        assert scaled == 1 or -0.5 < scaled - side * scale <= 0.5
    assert scaled_size((height, width), 1.0) == (height, width)


def test_scaled_size_of_the_papers_crop():
    assert [scaled_size((513, 513), s)[0] for s in PAPER_SCALES] == [257, 385, 513, 641, 770, 898]


@pytest.mark.parametrize("scales", [(), (0.0,), (1.0, -0.5), (float("nan"),), (float("inf"),), (1e12,)])
def test_bad_scales_are_named(model, scales):
    for predict in (predict_probabilities, predict_labels):
        with pytest.raises(ValueError, match="scales="):
            predict(model, images_of(32, 32), scales)


@pytest.mark.parametrize("flip", [False, True])
def test_peak_memory_is_one_scale_at_a_time(flip):
    stub = Stub(num_classes=50).eval()  # so many classes that full-size probabilities are all that counts
    images = images_of(64, 64, count=1)
    full_size = 50 * 64 * 64 * 4
    one = peak_bytes(lambda: predict_probabilities(stub, images, (1.0,), flip))
    three = peak_bytes(lambda: predict_probabilities(stub, images, (1.0, 0.5, 0.75), flip))
    many = peak_bytes(lambda: predict_probabilities(stub, images, (1.0, 0.5, 0.75) * 4, flip))
    assert one >= full_size  # the measure sees what it should
    assert many == three
    # The sum, one view, and what is small: coarse logits (1/16 of it, twice with flip), the images, one-class maps.
    assert many < 2.5 * full_size


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0)])
@pytest.mark.parametrize("predict", [predict_labels, predict_probabilities])
def test_logits_that_are_not_finite_are_an_error(value, scales, predict):
    torch.manual_seed(0)
    stub = Stub()
    with torch.no_grad():
        stub.conv.bias[3] = value
    with pytest.raises(
        NotFiniteError, match=r"^the model's logits are not finite numbers \(NaN or infinity\)"
    ):
        predict(stub, images_of(20, 24), scales)


@pytest.mark.parametrize("predict", [predict_labels, predict_probabilities])
@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (
            torch.rand(3, 20, 24),
            ValueError,
            r"images.shape=\(3, 20, 24\): expected \(N, 3, H, W\); images\[None\]",
        ),
        (torch.rand(24), ValueError, r"images.shape=\(24,\): expected \(N, 3, H, W\)$"),
        ([torch.rand(3, 20, 24)], TypeError, "images is a list: expected a tensor"),
        (np.zeros((1, 3, 20, 24), np.float32), TypeError, "images is a ndarray: expected a tensor"),
        (
            torch.zeros(1, 3, 20, 24, dtype=torch.uint8),
            TypeError,
            "images.dtype=torch.uint8: expected floating",
        ),
    ],
    ids=["no batch", "one dimension", "list", "array", "bytes"],
)
def test_images_of_a_wrong_kind_are_refused_in_one_line(predict, images, error, message):
    with pytest.raises(error, match=message) as raised:
        predict(Stub(), images)
    assert "\n" not in str(raised.value)


class Mapped(Stub):
    """A model as torchvision's, which return a mapping."""

    def forward(self, images):
        return {"out": self.conv(images), "aux": None}


def test_model_that_returns_a_mapping_as_torchvisions():
    torch.manual_seed(0)
    stub, mapped = Stub(), Mapped()
    mapped.load_state_dict(stub.state_dict())
    images = images_of(20, 24)
    assert torch.equal(predict_labels(mapped, images), predict_labels(stub, images))
    assert torch.equal(
        predict_probabilities(mapped, images, (1.0, 0.5), True),
        predict_probabilities(stub, images, (1.0, 0.5), True),
    )


@pytest.mark.parametrize("returned", [(1, 2), {"logits": torch.rand(1, 2, 3, 3)}, torch.rand(2, 3, 3)])
def test_model_that_returns_no_logits_is_refused(returned):
    class Odd(nn.Module):
        def forward(self, images):
            return returned

    with pytest.raises(
        TypeError, match=r"^the model returns a (tuple|dict|Tensor of shape .*): expected logits"
    ):
        predict_labels(Odd(), images_of(20, 24))
