"""Photos and masks of every common kind come out right; a file that cannot be read is named in one line."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile, ImageOps
from torchvision import tv_tensors

from dlv3.data.errors import DataError
from dlv3.data.photos.images import read_image, read_mask, read_pair

ORIENTATIONS = range(1, 9)


def photo(height: int = 24, width: int = 40) -> np.ndarray:
    """A smooth picture without symmetry: (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width]
    return np.stack([255 * x // width, 255 * y // height, 255 * (x + y) // (height + width)], -1).astype(
        np.uint8
    )


def pixels(path: Path) -> np.ndarray:
    image = read_image(path)
    assert isinstance(image, tv_tensors.Image)
    assert image.dtype == torch.uint8
    return image.permute(1, 2, 0).numpy()


def write_oriented(path: Path, array: np.ndarray, orientation: int, **options) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(array).save(path, exif=exif, **options)


def grey_png(path: Path, values: np.ndarray, bits: int) -> None:
    """A grey PNG of 1, 2, 4 or 16 bits, written by hand as Pillow writes no such thing."""
    if bits == 16:
        rows = [row.astype(">u2").tobytes() for row in values]
    else:
        per_byte = 8 // bits
        weights = 2 ** (bits * np.arange(per_byte)[::-1])
        padded = np.pad(values, ((0, 0), (0, -values.shape[1] % per_byte)))
        rows = [(row.reshape(-1, per_byte) * weights).sum(1).astype(np.uint8).tobytes() for row in padded]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))),
        (b"IEND", b""),
    ]
    path.write_bytes(png(chunks))


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("suffix", "options"), [("png", {}), ("webp", {"lossless": True}), ("bmp", {}), ("tif", {})]
)
def test_lossless_formats_come_out_exact(tmp_path, suffix, options):
    Image.fromarray(photo()).save(tmp_path / f"a.{suffix}", **options)
    assert np.array_equal(pixels(tmp_path / f"a.{suffix}"), photo())


@pytest.mark.parametrize(("mode", "tolerance"), [("RGB", 4), ("L", 4), ("CMYK", 4)])
def test_jpeg_colours_come_out_right(tmp_path, mode, tolerance):
    source = Image.fromarray(photo()).convert(mode)
    source.save(tmp_path / "a.jpg", quality=100, subsampling=0)
    expected = np.array(source.convert("RGB")).astype(int)
    assert np.abs(pixels(tmp_path / "a.jpg") - expected).max() <= tolerance


def test_grey_has_three_equal_channels(tmp_path):
    Image.fromarray(photo()[..., 0]).save(tmp_path / "a.png")
    assert np.array_equal(pixels(tmp_path / "a.png"), photo()[..., :1].repeat(3, -1))


def test_transparency_is_laid_over_white(tmp_path):
    rgba = np.dstack([photo(), np.full((24, 40), 255, np.uint8)])
    rgba[:5, :, 3] = 0
    rgba[5:10, :, 3] = 128
    Image.fromarray(rgba).save(tmp_path / "a.png")
    out = pixels(tmp_path / "a.png")
    assert (out[:5] == 255).all()
    assert np.abs(out[5:10] - (photo()[5:10] * (128 / 255) + 255 * (127 / 255))).max() <= 1
    assert np.array_equal(out[10:], photo()[10:])


def test_palette_with_a_transparent_colour(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], dtype=np.uint8))
    picture.putpalette([200, 0, 0, 0, 100, 0])
    picture.save(tmp_path / "a.png", transparency=0)
    assert pixels(tmp_path / "a.png").tolist() == [[[255, 255, 255], [0, 100, 0]]]


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    values = np.array([[0, 128, 257, 32768, 65535]], dtype=np.uint16)
    grey_png(tmp_path / "a.png", values, 16)
    assert pixels(tmp_path / "a.png")[0, :, 0].tolist() == [0, 0, 1, 128, 255]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_rotated_photos_stand_upright(tmp_path, orientation, suffix):
    write_oriented(tmp_path / f"a.{suffix}", photo(), orientation, quality=100)
    with Image.open(tmp_path / f"a.{suffix}") as picture:
        expected = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    assert np.array_equal(pixels(tmp_path / f"a.{suffix}"), expected)
    assert expected.shape[:2] == ((40, 24) if orientation >= 5 else (24, 40))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_mask_of_the_upright_size_is_left_as_it_is(tmp_path, orientation):
    write_oriented(tmp_path / "a.png", photo(), orientation)
    upright = pixels(tmp_path / "a.png")[..., 0]
    Image.fromarray(upright).save(tmp_path / "mask.png")
    image, mask = read_pair(tmp_path / "a.png", tmp_path / "mask.png")
    assert torch.equal(mask, image[0])


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_of_the_stored_size_is_turned_with_its_photo(tmp_path, orientation):
    write_oriented(tmp_path / "a.png", photo(), orientation)
    Image.fromarray(photo()[..., 0]).save(tmp_path / "mask.png")
    image, mask = read_pair(tmp_path / "a.png", tmp_path / "mask.png")
    assert isinstance(mask, tv_tensors.Mask)
    assert torch.equal(mask, image[0])


def test_unreadable_metadata_does_not_spoil_a_photo(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.png", exif=b"Exif\0\0garbage that is no TIFF header")
    assert np.array_equal(pixels(tmp_path / "a.png"), photo())


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_masks_of_few_bits_keep_their_indices(tmp_path, bits):
    values = np.arange(2**bits, dtype=np.uint8)[None].repeat(3, 0)
    grey_png(tmp_path / "grey.png", values, bits)
    assert np.array_equal(read_mask(tmp_path / "grey.png"), values)
    indexed = Image.fromarray(values)
    indexed.putpalette(list(range(3 * 2**bits)))
    indexed.save(tmp_path / "palette.png", bits=bits)
    assert np.array_equal(read_mask(tmp_path / "palette.png"), values)


def test_palette_and_grey_masks_give_indices(tmp_path):
    values = np.array([[0, 1, 20, 255]], dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "grey.png")
    indexed = Image.fromarray(values)
    indexed.putpalette(list(range(255, -1, -1)) * 3)
    indexed.save(tmp_path / "palette.png")
    for name in ("grey.png", "palette.png"):
        mask = read_mask(tmp_path / name)
        assert isinstance(mask, tv_tensors.Mask)
        assert mask.dtype == torch.uint8
        assert mask.tolist() == values.tolist()


def test_ignored_values_become_255_in_8_and_in_16_bits(tmp_path):
    Image.fromarray(np.array([[0, 11, 3, 255]], dtype=np.uint8)).save(tmp_path / "8.png")
    grey_png(tmp_path / "16.png", np.array([[0, 11, 3, 65535]], dtype=np.uint16), 16)
    assert read_mask(tmp_path / "8.png", ignore=(11, 65535)).tolist() == [[0, 255, 3, 255]]
    assert read_mask(tmp_path / "16.png", ignore=(11, 65535)).tolist() == [[0, 255, 3, 255]]


def test_a_16_bit_label_beyond_255_is_named(tmp_path):
    grey_png(tmp_path / "16.png", np.array([[0, 300]], dtype=np.uint16), 16)
    with pytest.raises(DataError, match=r"16\.png: label 300"):
        read_mask(tmp_path / "16.png")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_a_mask_of_several_channels_is_refused(tmp_path, mode):
    Image.fromarray(photo()).convert(mode).save(tmp_path / "mask.png")
    with pytest.raises(DataError, match=rf"mask\.png: the mask has \d channels \({mode}\)"):
        read_mask(tmp_path / "mask.png")


def test_sizes_that_differ_are_named_with_both_files(tmp_path):
    Image.fromarray(photo(24, 40)).save(tmp_path / "a.png")
    Image.fromarray(photo(24, 41)[..., 0]).save(tmp_path / "mask.png")
    with pytest.raises(DataError, match=r"mask\.png: the mask is 41×24 .*a\.png 40×24"):
        read_pair(tmp_path / "a.png", tmp_path / "mask.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_picture_is_named_not_filled_with_grey(tmp_path, suffix, share):
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, {"jpg": "JPEG"}.get(suffix, suffix), quality=90)
    whole = buffer.getvalue()
    (tmp_path / f"cut.{suffix}").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DataError, match=rf"cut\.{suffix}: broken or cut short"):
        read_image(tmp_path / f"cut.{suffix}")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 a JPEG's first bytes, no more"]
)
def test_a_file_that_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.jpg: ") as caught:
        read_image(tmp_path / "a.jpg")
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.jpg: no such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(DataError, match="a folder, not a picture"):
        read_image(tmp_path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_forbidden_file_is_named(tmp_path):
    Image.fromarray(photo()).save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    with pytest.raises(DataError, match="no permission"):
        read_image(tmp_path / "a.png")


def test_floating_point_pixels_are_refused(tmp_path):
    Image.fromarray(photo()[..., 0].astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="floating-point"):
        read_image(tmp_path / "a.tif")
    with pytest.raises(
        DataError, match=r"a\.tif: the mask has floating-point values; save class indices as whole"
    ):
        read_mask(tmp_path / "a.tif")
