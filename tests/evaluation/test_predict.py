"""Prediction of photos: what is written, what is left out and named, and what ends it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from dlv3 import files
from dlv3.data.errors import DataError
from dlv3.data.palette import SCENES_PALETTE, voc_palette
from dlv3.data.photos.images import read_image
from dlv3.data.transforms import EvalTransform
from dlv3.evaluation import EvaluationConfig, predict_labels, predict_probabilities
from dlv3.evaluation.predict import bounded_size, predict_files

ORIENTATION = 0x0112


class ByColour(nn.Module):
    """Class 1 where red is strongest, 2 green, 3 blue; pixel by pixel, so the expected mask is known."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(5.0))
        self.sizes = []

    def forward(self, images):
        self.sizes.append(tuple(images.shape[2:]))
        return torch.cat((torch.full_like(images[:, :1], -99), images * self.scale), dim=1)


def photo(path, height=12, width=20, **options):
    """Red on the left, then green, the lower right corner blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[:, : width // 2, 0] = 250
    pixels[:, width // 2 :, 1] = 250
    pixels[height // 2 :, width // 2 :] = (0, 0, 250)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return 1 + pixels.argmax(2)  # (H, W), the expected classes


def predict(*inputs, model=None, out="out", **options):
    return predict_files(model or ByColour(), inputs, out, palette=voc_palette(4), progress=False, **options)


def index_of(name):
    return np.array(Image.open(f"{name}_index.png"))


def test_each_picture_has_its_indices_mask_and_overlay(here):
    classes = photo("a.png")
    done = predict("a.png")
    assert [str(picture.name) for picture in done.written] == ["a"]
    assert done.failed == ()
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "a_index.png",
        "a_mask.png",
        "a_overlay.png",
    ]
    mask = Image.open("out/a_mask.png")
    assert np.array_equal(index_of("out/a"), classes)
    assert np.array_equal(np.array(mask.convert("RGB")), voc_palette(4)[classes])
    overlay = np.array(Image.open("out/a_overlay.png")).astype(float)
    expected = 0.4 * np.array(Image.open("a.png")) + 0.6 * voc_palette(4)[classes]
    assert np.abs(overlay - expected).max() <= 1


def test_out_that_cannot_be_made_ends_before_any_picture(here):
    photo("a.png")
    Path("taken").touch()
    model = ByColour()
    with pytest.raises(OSError, match=r"^--out taken/below: cannot be made: [^\n]*give another folder$"):
        predict("a.png", model=model, out="taken/below")
    assert model.sizes == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_ends_it_and_is_not_taken_for_a_bad_picture(here, monkeypatch):
    photo("a.png")
    monkeypatch.setattr(files, "_open_aside", lambda aside: Path("/dev/full").open("wb"))  # noqa: SIM115
    with pytest.raises(OSError, match=r"^out/a_mask\.png: cannot be written: No space left on device"):
        predict("a.png")


def test_a_result_never_overwrites_a_picture(here):
    photo("a.png")
    photo("a_mask.png")
    before = Path("a_mask.png").read_bytes()
    with pytest.raises(DataError, match="would overwrite the picture a_mask.png"):
        predict("a.png", "a_mask.png", out=".")
    assert Path("a_mask.png").read_bytes() == before


def test_rotated_photo_comes_out_upright(here):
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # to be seen turned clockwise
    classes = photo("a.jpg", exif=exif, quality=100, subsampling=0)
    predict("a.jpg")
    upright = np.rot90(classes, -1)
    assert index_of("out/a").shape == (20, 12)
    assert (index_of("out/a") == upright).mean() > 0.95
    assert Image.open("out/a_overlay.png").size == (12, 20)


def test_folders_and_patterns_are_mirrored(here):
    photo("trip/a.png")
    photo("trip/day/b.png")
    photo("more/c.png")
    predict("trip", "more/*.png")
    assert sorted(str(path) for path in Path("out").rglob("*_index.png")) == [
        "out/a_index.png",
        "out/c_index.png",
        "out/day/b_index.png",
    ]


def test_same_names_in_two_folders_are_kept_apart(here):
    photo("left/p.png", 12, 20)
    photo("right/p.png", 8, 6)
    predict("left/p.png", "right/p.png")
    assert index_of("out/left/p").shape == (12, 20)
    assert index_of("out/right/p").shape == (8, 6)


def broken(kind):
    photo("good.jpg")
    if kind == "truncated":
        photo("bad.jpg", 200, 300)
        data = Path("bad.jpg").read_bytes()
        Path("bad.jpg").write_bytes(data[: len(data) // 2])
    elif kind == "text":
        Path("bad.jpg").write_text("not a picture")
    else:
        Path("bad.jpg").write_bytes(b"")


@pytest.mark.parametrize("kind", ["truncated", "text", "empty"])
def test_picture_that_cannot_be_read_is_named_and_the_rest_goes_on(here, kind):
    broken(kind)
    said = []
    done = predict("bad.jpg", "good.jpg", on_failure=said.append)
    assert [picture.path.name for picture in done.written] == ["good.jpg"]
    assert len(done.failed) == 1
    assert done.failed[0].startswith("bad.jpg: ")
    assert "\n" not in done.failed[0]
    assert said == list(done.failed)
    assert not Path("out/bad_mask.png").exists()


def test_input_that_does_not_exist_is_a_failure_beside_others(here):
    photo("a.png")
    done = predict("a.png", "nope.png")
    assert done.failed == ("nope.png: no such file or folder",)
    assert len(done.written) == 1


def test_nothing_at_all_is_an_error(here):
    with pytest.raises(DataError, match=r"^nope.png: no such file or folder$"):
        predict("nope.png")
    with pytest.raises(DataError, match="no pictures"):
        predict()
    assert not Path("out").exists()


def test_picture_without_permission_is_left_out(open_folder, unprivileged):
    photo("a.png")
    photo("locked.png")
    Path("locked.png").chmod(0)
    Path("out").mkdir()
    Path("out").chmod(0o777)
    with unprivileged():
        done = predict("a.png", "locked.png")
    assert len(done.written) == 1
    assert "locked.png: no permission to read it" in done.failed[0]


def test_folder_without_permission_is_named(open_folder, unprivileged):
    photo("locked/a.png")
    Path("locked").chmod(0)
    with (
        unprivileged(),
        pytest.raises(DataError, match="^locked: this folder cannot be read: Permission denied$"),
    ):
        predict("locked")


def test_large_photo_is_made_smaller_for_the_model_only(here):
    classes = photo("a.png", 60, 100)
    model = ByColour()
    predict("a.png", model=model, max_side=50)
    assert model.sizes == [(30, 50)]
    assert index_of("out/a").shape == (60, 100)
    assert (index_of("out/a") == classes).mean() > 0.95
    predict("a.png", model=model, max_side=None)
    assert model.sizes[1:] == [(60, 100)]
    predict("a.png", model=model, max_side=100)
    assert model.sizes[2:] == [(60, 100)]


def test_small_max_side_upsamples_probabilities(here):
    photo("a.png", 30, 50)
    predict("a.png", max_side=25, config=EvaluationConfig(scales=(1.0, 1.5), flip=True))
    pixels, _ = EvalTransform()(read_image("a.png"), None)
    small = nn.functional.interpolate(pixels[None], (15, 25), mode="bilinear", antialias=True)
    probabilities = predict_probabilities(ByColour(), small, (1.0, 1.5), True)
    expected = nn.functional.interpolate(probabilities, (30, 50), mode="bilinear").argmax(1)[0]
    assert (index_of("out/a") == expected.numpy()).mean() > 0.999


def test_bounded_size_keeps_proportions():
    assert bounded_size((3000, 4000), 2048) == (1536, 2048)
    assert bounded_size((4000, 3000), 2048) == (2048, 1536)
    assert bounded_size((1, 9000), 100) == (1, 100)
    assert bounded_size((300, 400), 400) == (300, 400)
    assert bounded_size((9000, 9000), None) == (9000, 9000)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_photo_too_large_for_the_memory_is_left_out(here, error):
    class Small(ByColour):
        def forward(self, images):
            if images.shape[-1] > 30:
                raise error
            return super().forward(images)

    photo("large.png", 30, 40)
    photo("small.png")
    done = predict("large.png", "small.png", model=Small())
    assert [picture.path.name for picture in done.written] == ["small.png"]
    assert "large.png: too large for the memory; give a smaller --max-side" in done.failed[0]


def test_error_in_the_model_is_not_taken_for_a_bad_picture(here):
    class Broken(ByColour):
        def forward(self, images):
            raise RuntimeError("a mistake in the code")

    photo("a.png")
    with pytest.raises(RuntimeError, match="a mistake in the code"):
        predict("a.png", model=Broken())


def test_scales_and_flip_are_used(here):
    photo("a.png")
    model = ByColour()
    predict("a.png", model=model, config=EvaluationConfig(scales=(0.5, 1.0), flip=True))
    assert model.sizes == [(6, 10), (12, 20)]


@pytest.mark.parametrize(("option", "value"), [("max_side", 0), ("alpha", 1.5)])
def test_bad_option_is_named(here, option, value):
    photo("a.png")
    with pytest.raises(ValueError, match=f"{option}={value}"):
        predict("a.png", **{option: value})


def test_class_indices_equal_those_of_the_library(here):
    from dlv3 import DeepLabV3, DeepLabV3Config

    torch.manual_seed(0)
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2,), aspp_channels=8))
    pixels = np.random.default_rng(0).integers(0, 256, (45, 70, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("a.png")
    predict_files(
        model, ["a.png"], "out", EvaluationConfig(output_stride=8), palette=SCENES_PALETTE, progress=False
    )
    assert model.output_stride == 16
    model.set_output_stride(8)
    image, _ = EvalTransform()(read_image("a.png"), None)
    expected = predict_labels(model, image[None])[0].numpy()
    assert (index_of("out/a") == expected).mean() > 0.999


def test_logits_that_are_not_finite_end_it_and_name_the_picture(here):
    photo("a.png")
    model = ByColour()
    model.scale.data.fill_(float("nan"))
    with pytest.raises(ValueError, match=r"^a\.png: the model's logits are not finite numbers"):
        predict("a.png", model=model)
    assert not Path("out").exists()


def test_confidence_is_written_with_16_bits(here):
    photo("a.png")
    predict("a.png")
    plain = index_of("out/a")
    predict("a.png", probabilities="png")
    confidence = np.array(Image.open("out/a_confidence.png"))
    pixels, _ = EvalTransform()(read_image("a.png"), None)
    expected = predict_probabilities(ByColour(), pixels[None])[0].amax(0).numpy() * 65535
    assert confidence.dtype == np.uint16
    assert np.abs(confidence - expected).max() <= 1
    assert np.array_equal(index_of("out/a"), plain)


@pytest.mark.parametrize("max_side", [None, 10])
def test_probabilities_of_all_classes_are_written(here, max_side):
    photo("a.png")
    predict("a.png", probabilities="npz", max_side=max_side)
    found = np.load("out/a_probabilities.npz")["probabilities"]
    assert (found.shape, found.dtype) == ((4, 12, 20), np.float16)
    assert np.abs(found.astype(float).sum(0) - 1).max() < 2e-3
    assert (found.argmax(0) == index_of("out/a")).mean() > 0.95
    assert not Path("out/a_confidence.png").exists()


@pytest.mark.parametrize("probabilities", ["none", "png", "npz"])
def test_large_photo_in_tiles_is_as_the_whole(here, probabilities):
    classes = photo("a.png", 60, 100)
    model = ByColour()
    predict("a.png", model=model, max_side=32, tiled=True, probabilities=probabilities)
    assert set(model.sizes) == {(32, 32)}
    assert np.array_equal(index_of("out/a"), classes)
    predict("a.png", out="whole", max_side=None, probabilities=probabilities)
    for name in ("a_confidence.png", "a_probabilities.npz"):
        if Path("out", name).exists():
            assert Path("out", name).read_bytes() == Path("whole", name).read_bytes()


@pytest.mark.parametrize("max_side", [None, 31])
def test_tiles_need_a_side_that_is_not_tiny(here, max_side):
    photo("a.png")
    with pytest.raises(ValueError, match=rf"^max_side={max_side}: expected the side of a tile, at least 32"):
        predict("a.png", max_side=max_side, tiled=True)


def test_confidence_never_overwrites_a_picture(here):
    photo("a.png")
    photo("a_confidence.png")
    with pytest.raises(DataError, match=r"would overwrite the picture a_confidence\.png"):
        predict("a.png", "a_confidence.png", out=".", probabilities="png")
