"""Augmentation moves picture and mask together, pads with the mean and 255, and is fixed by torch's seed."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors

from dlv3.data.transforms import IMAGENET_MEAN, IMAGENET_STD, EvalTransform, TrainTransform

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}  # leaves pixels at value / 255


def sample(height: int, width: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
    """A picture whose every pixel is its label, in vertical bands 8 pixels wide: 10, 30, 50, ..."""
    bands = 10 + 20 * (torch.arange(width) // 8 % 12)
    mask = bands.to(torch.uint8).repeat(height, 1)
    return tv_tensors.Image(mask.repeat(3, 1, 1)), tv_tensors.Mask(mask)


def test_shapes_and_types_are_what_the_network_and_the_loss_read():
    image, mask = TrainTransform(65)(*sample(48, 90))
    assert (image.shape, image.dtype, type(image)) == ((3, 65, 65), torch.float32, torch.Tensor)
    assert (mask.shape, mask.dtype, type(mask)) == ((65, 65), torch.int64, torch.Tensor)


def test_a_crop_may_be_a_rectangle():
    image, mask = TrainTransform((40, 70))(*sample(48, 90))
    assert image.shape == (3, 40, 70)
    assert mask.shape == (40, 70)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    crop=st.integers(1, 80),
    scale=st.sampled_from([(1.0, 1.0), (0.5, 2.0), (0.25, 0.5), (2.0, 2.0)]),
)
def test_padding_is_the_mean_under_255_and_everything_else_is_the_picture(seed, height, width, crop, scale):
    torch.manual_seed(seed)
    image, mask = sample(height, width)
    image = tv_tensors.Image(torch.full_like(image, 255))  # far from the mean, so that padding is told apart
    out, labels = TrainTransform(crop, scale=scale)(image, mask)
    padding = (out == 0).all(0)
    assert torch.equal(padding, labels == 255)
    inside = int((~padding).sum())
    rows, columns = int((~padding).any(1).sum()), int((~padding).any(0).sum())
    assert inside == rows * columns  # one rectangle
    if scale == (1.0, 1.0):
        assert (rows, columns) == (min(height, crop), min(width, crop))


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_without_scaling_picture_and_mask_stay_one(flip):
    for seed in range(20):
        torch.manual_seed(seed)
        image, mask = TrainTransform(40, scale=(1, 1), flip=flip, **PLAIN)(*sample(48, 90))
        assert torch.equal((image[0] * 255).round().long(), mask)


def test_a_flip_mirrors_left_and_right_only():
    image, mask = sample(48, 90)
    mask[0] = 7  # a top row to stay on top
    _, kept = TrainTransform((48, 90), scale=(1, 1), flip=0)(image, mask)
    _, flipped = TrainTransform((48, 90), scale=(1, 1), flip=1)(image, mask)
    assert torch.equal(flipped, kept.flip(1))
    assert (flipped[0] == 7).all()


@pytest.mark.parametrize("factor", [0.5, 0.75, 1.25, 1.6, 2.0])
def test_scaling_keeps_labels_whole_and_over_their_pixels(factor):
    """The edge of a step lies within half a pixel of the place where the scaled picture crosses the middle."""
    mask = torch.zeros(64, 64, dtype=torch.uint8)
    mask[:, 29:] = 200
    transform = TrainTransform(round(64 * factor), scale=(factor, factor), flip=0, **PLAIN)
    image, labels = transform(tv_tensors.Image(mask.repeat(3, 1, 1)), tv_tensors.Mask(mask))
    assert set(labels.unique().tolist()) == {0, 200}
    row = image[0, 5]
    crossing = int((row < 100 / 255).sum())  # first pixel past the middle of the ramp
    edge = int((labels[5] == 0).sum())
    assert abs(edge - 29 * factor) <= 0.5
    assert abs(edge - crossing) <= 1
    assert torch.equal(labels, labels[5].expand_as(labels))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 1), (1, 2), (3, 3)])
def test_a_picture_scaled_to_almost_nothing_is_still_a_picture(height, width):
    image, mask = sample(height, width)
    _, labels = TrainTransform(8, scale=(0.25, 0.25))(image, mask)
    assert (labels == 10).sum() == 4


def test_label_255_of_the_data_set_survives():
    image, mask = sample(48, 90)
    mask[10:20] = 255
    _, labels = TrainTransform((48, 90), scale=(1, 1), flip=0)(image, mask)
    assert (labels[10:20] == 255).all()
    assert (labels == 255).sum() == 10 * 90


def test_torch_seed_fixes_the_sample_and_another_seed_another():
    transform = TrainTransform(33, photometric=0.4)
    picture = sample(48, 90)
    torch.manual_seed(3)
    first = transform(*picture)
    torch.manual_seed(3)
    again = transform(*picture)
    torch.manual_seed(4)
    other = transform(*picture)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_factors_span_the_range_and_follow_the_step():
    free, stepped = TrainTransform(9), TrainTransform(9, scale_step=0.25)
    numbers = [i / 1000 for i in range(1000)]
    assert min(map(free._factor, numbers)) == 0.5
    assert 1.99 < max(map(free._factor, numbers)) < 2.0
    assert sorted({stepped._factor(u) for u in numbers}) == [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]
    counts = [sum(stepped._factor(u) == f for u in numbers) for f in (0.5, 2.0)]
    assert all(140 <= c <= 145 for c in counts)  # the ends as often as the rest


def test_every_place_of_the_crop_occurs():
    places = set()
    mask = torch.arange(5, dtype=torch.uint8).repeat(5, 1) + 10 * torch.arange(5, dtype=torch.uint8)[:, None]
    image = tv_tensors.Image(mask.repeat(3, 1, 1))
    for seed in range(200):
        torch.manual_seed(seed)
        _, labels = TrainTransform(3, scale=(1, 1), flip=0)(image, tv_tensors.Mask(mask))
        places.add(int(labels[0, 0]))
    assert places == {0, 1, 2, 10, 11, 12, 20, 21, 22}


def test_the_sample_given_is_not_changed():
    image, mask = sample(48, 90)
    before = image.clone(), mask.clone()
    for seed in range(5):
        torch.manual_seed(seed)
        TrainTransform(60, photometric=0.5)(image, mask)
        EvalTransform()(image, mask)
    assert torch.equal(image, before[0])
    assert torch.equal(mask, before[1])


def test_photometric_changes_colours_and_no_label():
    image, mask = sample(48, 90)
    torch.manual_seed(0)
    plain = TrainTransform(40, scale=(1, 1))(image, mask)
    torch.manual_seed(0)
    changed = TrainTransform(40, scale=(1, 1), photometric=0.5)(image, mask)
    assert torch.equal(plain[1], changed[1])
    assert not torch.allclose(plain[0], changed[0])


def test_evaluation_keeps_every_pixel_at_its_place():
    image, mask = sample(37, 91)
    out, labels = EvalTransform()(image, mask)
    assert out.shape == (3, 37, 91)
    assert torch.equal(labels, mask.long())
    mean, std = torch.tensor(IMAGENET_MEAN)[:, None, None], torch.tensor(IMAGENET_STD)[:, None, None]
    torch.testing.assert_close(out, (image / 255 - mean) / std)


def test_evaluation_of_a_photo_without_a_mask():
    out, labels = EvalTransform()(sample(37, 91)[0])
    assert out.shape == (3, 37, 91)
    assert labels is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crop_size": 0}, "crop_size=0: expected"),
        ({"crop_size": 9, "scale": (2.0, 0.5)}, "scale=.*: expected"),
        ({"crop_size": 9, "scale": (0.0, 1.0)}, "scale=.*: expected"),
        ({"crop_size": 9, "flip": 1.5}, "flip=1.5: expected"),
        ({"crop_size": 9, "scale": (1.0, float("inf"))}, "scale=.*: expected"),
        ({"crop_size": 9, "scale_step": -1.0}, "scale_step=.*: expected"),
        ({"crop_size": 9, "scale_step": float("inf")}, "scale_step=.*: expected"),
        ({"crop_size": 9, "flip": float("nan")}, "flip=.*: expected"),
        ({"crop_size": 9, "photometric": 2.0}, "photometric=.*: expected"),
    ],
)
def test_values_that_make_no_sense_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        TrainTransform(**options)
