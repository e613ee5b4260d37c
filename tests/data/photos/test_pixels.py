"""Pictures of 16 bits, and of other numbers of channels than three."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dlv3.data import DataConfig, DataError, open_dataset
from dlv3.data.photos import pixels as pixels_module
from dlv3.data.photos.images import read_image
from dlv3.data.transforms import EvalTransform, TrainTransform


@pytest.fixture(autouse=True)
def nothing_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels_module, "_warned", set())


def sixteen(path: Path, most: int = 4095) -> Path:
    Image.fromarray(np.array([[0, most // 2, most]], np.uint16)).save(path)
    return path


def test_a_16_bit_picture_of_12_bits_is_warned_of_once_for_a_folder(tmp_path: Path):
    with pytest.warns(UserWarning, match=r"a\.tif: .* values end at 4095 .*give image_bits=12"):
        read_image(sixteen(tmp_path / "a.tif"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_image(sixteen(tmp_path / "b.tif"))


def test_a_16_bit_picture_in_colour_of_12_bits_is_warned_of(tmp_path: Path):
    rows = [b"\0" + np.full((4, 3), value, ">u2").tobytes() for value in (0, 4095)]
    header = struct.pack(">IIBBBBB", 4, 2, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    with pytest.warns(UserWarning, match=r"a\.png: 16 bits a channel .* nearly black; save it with 8 bits"):
        read_image(tmp_path / "a.png")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("bits", "most"), [(12, 4095), (10, 1023), (16, 65535)])
def test_known_bits_are_scaled_to_the_whole_range_without_a_warning(tmp_path: Path, bits: int, most: int):
    image = read_image(sixteen(tmp_path / "a.tif", most), bits=bits)
    assert image[:, 0].tolist() == [[0, 127, 255]] * 3


def test_values_beyond_the_given_bits_and_bits_out_of_range_are_refused(tmp_path: Path):
    with pytest.raises(
        DataError, match=r"a\.tif: values 0 to 4095; expected 0 to 1023: image_bits=10 is too few"
    ):
        read_image(sixteen(tmp_path / "a.tif"), bits=10)
    with pytest.raises(ValueError, match="image_bits=8: expected a whole number from 9 to 16"):
        DataConfig(image_bits=8)


def test_one_channel_is_grey_of_any_picture(tmp_path: Path):
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "grey.png")
    assert np.array_equal(read_image(tmp_path / "grey.png", channels=1), values[None])
    Image.fromarray(np.dstack([values] * 3)).save(tmp_path / "rgb.png")
    assert np.array_equal(read_image(tmp_path / "rgb.png", channels=1), values[None])
    assert read_image(sixteen(tmp_path / "a.tif"), channels=1, bits=12).tolist() == [[[0, 127, 255]]]


def test_four_channels_are_read_as_they_are(tmp_path: Path):
    values = np.random.default_rng(0).integers(0, 256, (5, 6, 4), np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png", channels=4), values.transpose(2, 0, 1))
    assert read_image(tmp_path / "a.png").shape == (3, 5, 6)


def test_pages_of_a_tiff_are_channels(tmp_path: Path):
    values = np.random.default_rng(0).integers(0, 256, (5, 6, 7), np.uint8)
    pages = [Image.fromarray(page) for page in values]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert np.array_equal(read_image(tmp_path / "a.tif", channels=5), values)
    with pytest.raises(
        DataError, match="has 5 pages or frames; a picture of 4 channels has one: .*, or 4 pages$"
    ):
        read_image(tmp_path / "a.tif", channels=4)
    with pytest.raises(DataError, match=r"has 5 pages .*needs in_channels=5 \(--model.in-channels 5\)$"):
        read_image(tmp_path / "a.tif")


def test_another_number_of_channels_is_refused(tmp_path: Path):
    Image.fromarray(np.zeros((5, 6, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(
        DataError, match=r"a\.png: has 3 channels \(RGB\); expected 4, the model's in_channels"
    ):
        read_image(tmp_path / "a.png", channels=4)
    with pytest.raises(
        DataError, match="in_channels=4: expected 3, the channels of the pictures of 'scenes'"
    ):
        open_dataset("scenes", "train", channels=4)


@pytest.mark.parametrize("channels", [1, 4])
def test_a_folder_gives_the_models_channels_and_the_transforms_take_them(tmp_path: Path, channels: int):
    for part in ("images", "masks"):
        (tmp_path / part).mkdir()
    for i in range(2):
        Image.fromarray(np.full((6, 6, 4), 200, np.uint8)).save(tmp_path / f"images/{i}.png")
        Image.fromarray(np.eye(6, dtype=np.uint8)).save(tmp_path / f"masks/{i}.png")
    image, mask = open_dataset(f"folder:{tmp_path}", "train", channels=channels)[0]
    assert image.shape == (channels, 6, 6)
    for transform in (EvalTransform(), TrainTransform(9)):
        prepared, _ = transform(image, mask)
        assert prepared.shape[0] == channels
        assert torch.equal(prepared, prepared[:1].expand_as(prepared))


def test_channels_of_a_tiff_that_cannot_be_read_are_not_passed_over(tmp_path: Path):
    path = tmp_path / "a.tif"
    values = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(5, 6, 4)
    Image.fromarray(values).save(path)
    alpha, infrared = struct.pack("<HHIH", 338, 3, 1, 2), struct.pack("<HHIH", 338, 3, 1, 0)
    content = path.read_bytes()
    assert content.count(alpha) == 1
    path.write_bytes(content.replace(alpha, infrared))
    # As a viewer shows it.
    assert np.array_equal(read_image(path), values[..., :3].transpose(2, 0, 1))
    with pytest.raises(
        DataError,
        match=r"a\.tif: one page of 4 channels, of which 3 can be read; save each channel as a page of",
    ):
        read_image(path, channels=4)
