"""Only the documented formats are opened, up to a size, and one page of them."""

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dlv3.data.errors import DataError
from dlv3.data.photos import opening
from dlv3.data.photos.images import read_image, read_mask


def photo(height: int = 24, width: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def pixels(path: Path) -> np.ndarray:
    return read_image(path).permute(1, 2, 0).numpy()


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("read", [read_image, read_mask])
@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_a_file_of_several_pages_or_frames_is_refused(tmp_path, read, suffix):
    page = Image.fromarray(np.zeros((8, 8), np.uint8))
    other = Image.fromarray(np.ones((8, 8), np.uint8))
    page.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[other, page])
    with pytest.raises(DataError, match=rf"a\.{suffix}: has 3 pages or frames; a (picture|mask) has one"):
        read(tmp_path / f"a.{suffix}")


def test_smaller_copies_inside_a_tiff_are_not_pages(tmp_path):
    page = Image.fromarray(photo())
    small = Image.fromarray(photo(12, 20))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    assert np.array_equal(pixels(tmp_path / "a.tif"), photo())


def test_only_the_documented_formats_are_opened(tmp_path):
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    Image.fromarray(photo()).save(tmp_path / "b.png", "GIF")
    for name in ("a.png", "b.png"):
        with pytest.raises(DataError, match=rf"{name}: not a picture .*; give JPEG, PNG, WEBP, BMP or TIFF"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("samples", [5, 8])
def test_a_tiff_of_many_channels_in_one_page_is_refused_with_what_to_do(tmp_path, samples):
    width, height, table = 4, 3, 10
    data = bytes(width * height * samples)
    bits_at = 8 + 2 + 12 * table + 4
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, samples, bits_at),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
    ]
    entries += [(273, 4, 1, bits_at + 2 * samples), (277, 3, 1, samples), (278, 4, 1, height)]
    entries += [(279, 4, 1, len(data)), (284, 3, 1, 1)]
    header = b"II*\0" + struct.pack("<IH", 8, table) + b"".join(struct.pack("<HHII", *e) for e in entries)
    (tmp_path / "a.tif").write_bytes(header + bytes(4) + struct.pack(f"<{samples}H", *[8] * samples) + data)
    with pytest.raises(
        DataError, match=r"a\.tif: a TIFF of a kind that is not read.*save each channel as a page"
    ):
        read_image(tmp_path / "a.tif", channels=samples)


def test_a_jpeg_that_is_called_png_is_not_a_mask(tmp_path):
    Image.fromarray(photo()[..., 0]).save(tmp_path / "mask.png", "JPEG")
    with pytest.raises(DataError, match=r"mask\.png: not a picture that can be read; give PNG or TIFF"):
        read_mask(tmp_path / "mask.png")


def test_a_phones_second_picture_is_passed_over(tmp_path):
    first = Image.fromarray(photo())
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[first], quality=100)
    assert read_image(tmp_path / "a.jpg").shape == (3, 24, 40)


@pytest.mark.parametrize("side", [13_000, 70_000])
def test_a_picture_that_would_fill_the_memory_is_refused_with_its_size(tmp_path, side):
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", b"")]
    (tmp_path / "a.png").write_bytes(png(chunks))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for read in (read_image, read_mask):
            with pytest.raises(DataError, match=rf"a\.png: .*({side}×{side}|{side**2}) pixels"):
                read(tmp_path / "a.png")
    assert side**2 > opening.MAX_PIXELS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png: a pipe or a device, not a picture"):
        read_image(tmp_path / "a.png")
