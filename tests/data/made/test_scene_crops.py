"""One-object pictures: the same each time, others in each split, and every shape and strip about equally often."""

import torch

from dlv3.data.made.scene_crops import SHAPES, STRIPS, SceneCrops


def test_crops_are_the_same_each_time_and_differ_between_splits_and_seeds():
    first = SceneCrops("train")[5]
    assert torch.equal(first[0], SceneCrops("train", pictures=6)[5][0])
    assert first[0].shape == (3, 65, 65)
    assert not torch.equal(first[0], SceneCrops("val")[5][0])
    assert not torch.equal(first[0], SceneCrops("train", seed=1)[5][0])
    assert (len(SceneCrops("train")), len(SceneCrops("val"))) == (12_000, 2_000)


def test_crops_have_every_shape_and_strip_about_equally_often():
    crops = SceneCrops("val", pictures=600)
    labels = [crops[i][1:] for i in range(600)]
    shapes = torch.tensor([shape for shape, _ in labels]).bincount(minlength=len(SHAPES))
    strips = torch.tensor([strip for _, strip in labels]).bincount(minlength=len(STRIPS))
    assert shapes.min() > 60
    assert strips.min() > 150
