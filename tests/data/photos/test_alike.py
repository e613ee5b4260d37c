"""Pictures that look alike are found; others are not."""

import numpy as np
import pytest

from dlv3.data.photos.alike import Look, alike


def picture(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    """A smooth picture, (3, height, width) uint8: a few waves."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width])[:, None, None]
    waves = [np.sin(2 * np.pi * (a * x + b * y + c)) for a, b, c in generator.uniform(-3, 3, (6, 3))]
    grey = sum(waves) * 20 + 128
    return np.broadcast_to(np.clip(grey, 0, 255).astype(np.uint8), (3, height, width))


def test_the_same_scene_is_near_whatever_its_size_brightness_noise_or_small_shift():
    first = picture(0, 60, 80)
    noise = np.random.default_rng(1).normal(0, 4, first.shape)
    variants = [
        picture(0, 90, 120),
        np.clip(first.astype(int) + 20, 0, 255).astype(np.uint8),
        np.clip(first + noise, 0, 255).astype(np.uint8),
        np.roll(first, 1, axis=2),
    ]
    looks = [Look.of(variant) for variant in variants]
    assert alike([Look.of(picture(7)), Look.of(first)], looks) == [(1, 0), (1, 1), (1, 2), (1, 3)]


def test_other_scenes_are_not_near():
    looks = [Look.of(picture(seed)) for seed in range(40)]
    assert alike(looks[:20], looks[20:]) == []


def test_flat_pictures_of_unlike_texture_are_told_apart_by_their_cells():
    flat = np.full((3, 32, 34), 100, np.uint8)
    edge = flat.copy()
    edge[..., :17] = 250
    assert alike([Look.of(flat)], [Look.of(edge)]) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (16, 17), (17, 16)])
def test_pictures_of_any_size_have_a_look(size: tuple[int, int]):
    look = Look.of(np.full((3, *size), 77, np.uint8))
    assert look.cells.shape == (16, 17)
    assert np.allclose(look.cells, 77)
    assert alike([look], [look]) == [(0, 0)]
    assert alike([], [look]) == alike([look], []) == []
