"""Held pictures are the data set's own."""

import pytest
import torch

from dlv3.data.held import Held
from dlv3.data.made.markers import Markers
from dlv3.data.made.scenes import Scenes


def test_every_picture_is_the_same():
    scenes = Scenes("train", size=129, pictures=5)
    held = Held(scenes)
    assert len(held) == 5
    for index in range(5):
        for kept, drawn in zip(held[index], scenes[index], strict=True):
            assert type(kept) is type(drawn)
            assert torch.equal(kept, drawn)
        assert held.name(index) == scenes.name(index)
        assert held.classes_in(index) == scenes.classes_in(index)
    assert (held.classes, held.num_classes) == (scenes.classes, scenes.num_classes)


def test_nothing_is_drawn_again(monkeypatch):
    held = Held(Scenes("train", size=129, pictures=2))
    monkeypatch.setattr(Scenes, "__getitem__", lambda self, index: pytest.fail("drawn again"))
    held[1], held.classes_in(0)


def test_unlabelled_pixels_are_no_class():
    held = Held(Markers("one", "val", pictures=2))
    assert 255 in held.masks
    assert all(255 not in held.classes_in(index) for index in range(2))
