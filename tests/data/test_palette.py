"""Palettes, coloured masks, palette PNGs and overlays."""

import numpy as np
import pytest
import torch
from PIL import Image

from dlv3.data import palette
from dlv3.data.palette import SCENES_PALETTE, VOID_COLOUR, colourise, overlay, save_palette_png, voc_palette


def test_voc_palette_is_the_published_one():
    published = {1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 8: (64, 0, 0), 15: (192, 128, 128)}
    published |= {0: (0, 0, 0), 20: (0, 64, 128), 255: (224, 224, 192)}
    palette = voc_palette(256)
    assert {i: tuple(int(v) for v in palette[i]) for i in published} == published
    assert len(np.unique(palette, axis=0)) == 256
    assert np.array_equal(voc_palette(21), palette[:21])


@pytest.mark.parametrize("n", [0, 257])
def test_voc_palette_names_a_count_it_cannot_give(n):
    with pytest.raises(ValueError, match=f"n={n}: expected 1 to 256"):
        voc_palette(n)


def test_scenes_palette_has_eight_distinct_colours():
    assert SCENES_PALETTE.shape == (8, 3)
    assert SCENES_PALETTE.dtype == np.uint8
    assert len(np.unique(SCENES_PALETTE, axis=0)) == 8


@pytest.mark.parametrize("kind", [torch.int64, torch.uint8, np.uint8, np.int32])
def test_colourise_paints_each_index_and_the_void(kind):
    rows = [[0, 1], [2, 255]]
    mask = torch.tensor(rows, dtype=kind) if isinstance(kind, torch.dtype) else np.array(rows, dtype=kind)
    painted = colourise(mask, voc_palette(3))
    assert painted.shape == (2, 2, 3)
    assert painted.dtype == np.uint8
    assert painted.tolist() == [[[0, 0, 0], [128, 0, 0]], [[0, 128, 0], list(VOID_COLOUR)]]


def test_palette_png_holds_the_indices_and_shows_the_colours(tmp_path):
    mask = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    save_palette_png(mask, voc_palette(21), tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.array(picture), mask.numpy())
        shown = np.array(picture.convert("RGB"))
    assert np.array_equal(shown, colourise(mask, voc_palette(21)))


def test_overlay_mixes_by_alpha_and_leaves_unlabelled_pixels():
    image = torch.full((3, 1, 3), 100, dtype=torch.uint8)
    mask = torch.tensor([[0, 1, 255]])
    assert overlay(image, mask, voc_palette(2), alpha=0.5).tolist() == [[[50] * 3, [114, 50, 50], [100] * 3]]
    assert overlay(image, mask, voc_palette(2), alpha=0).tolist() == [[[100] * 3] * 3]
    array = image.permute(1, 2, 0).numpy()
    assert np.array_equal(overlay(array, mask, voc_palette(2)), overlay(image, mask, voc_palette(2)))


def test_overlay_of_several_strips_is_that_of_one(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 7, 5), generator=generator, dtype=torch.uint8)
    mask = torch.randint(0, 2, (7, 5), generator=generator)
    mask[3] = 255
    whole = overlay(image, mask, voc_palette(2), alpha=0.3)
    monkeypatch.setattr(palette, "_STRIP", 10)
    assert np.array_equal(overlay(image, mask, voc_palette(2), alpha=0.3), whole)


def test_overlay_names_sizes_that_differ_and_an_alpha_outside_its_range():
    image, mask = torch.zeros(3, 4, 5, dtype=torch.uint8), torch.zeros(5, 4, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"\(5, 4\).*: expected the picture's size, \(4, 5\)"):
        overlay(image, mask, voc_palette(2))
    with pytest.raises(ValueError, match="alpha=2: expected"):
        overlay(image, mask.T, voc_palette(2), alpha=2)


@pytest.mark.parametrize("mask", [np.array([[-1]]), np.array([[300]]), np.zeros((1, 2, 2), dtype=np.uint8)])
def test_what_is_no_mask_is_refused(mask):
    with pytest.raises(ValueError, match="mask "):
        colourise(mask, voc_palette(2))


@pytest.mark.parametrize(
    ("channels", "shown"), [(1, [0, 0, 0]), (2, [0, 0, 0]), (3, [0, 1, 2]), (5, [0, 1, 2])]
)
def test_overlays_show_pictures_of_any_channels(channels, shown):
    image = torch.arange(channels, dtype=torch.uint8)[:, None, None].expand(channels, 2, 2)
    assert overlay(image, torch.full((2, 2), 255), voc_palette(2))[0, 0].tolist() == shown
