"""The frozen features: cut backbones, their fields of view, and the sizes of shapes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dlv3.ablations.studies.features import SIZE_BOUNDS, cut_backbone, field_of_view, shape_sizes
from dlv3.data.made.scenes import Scenes


def test_a_shorter_backbone_gives_the_longer_ones_inner_map():
    image = torch.rand(1, 3, 65, 65)
    longer = cut_backbone(2, 4)
    torch.testing.assert_close(longer[:-1](image), cut_backbone(1, 4)(image))


def test_maps_of_other_sizes_are_samples_of_one_map():
    image = torch.rand(1, 3, 65, 65)
    dense = cut_backbone(4, 4)(image)
    for stride in (8, 16):
        sampled = dense[:, :, :: stride // 4, :: stride // 4]
        torch.testing.assert_close(cut_backbone(4, stride)(image), sampled, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("blocks", "stride"), [(1, 4), (2, 4), (2, 8)])
def test_field_of_view_is_what_has_a_gradient(blocks, stride):
    backbone = cut_backbone(blocks, stride)
    for parameter in backbone.parameters():
        parameter.abs_()  # none cancels another
    image = torch.rand(1, 3, 129, 129, requires_grad=True)
    middle = 64 // stride
    backbone(image)[0, :, middle, middle].sum().backward()
    seen = image.grad[0].sum(dim=0).abs().sum(dim=0).nonzero().flatten()
    assert seen[-1] - seen[0] + 1 == field_of_view(blocks, stride)
    assert field_of_view(blocks, stride, 3) == field_of_view(blocks, stride) + 6 * stride


def test_sizes_lie_on_shapes_and_are_those_of_their_radii():
    scenes = Scenes("val", scene_cue=False)
    for index in range(5):
        layout, labels = scenes.layout(index), scenes[index][1].numpy()
        sizes = shape_sizes(layout, labels)
        ground_or_wire = (labels == 0) | (labels == scenes.classes.index("wire"))
        assert np.array_equal(sizes == 255, ground_or_wire)
        for shape in layout.shapes:
            group = sum(shape.radius >= bound for bound in SIZE_BOUNDS)
            alone = shape_sizes(replace(layout, shapes=(shape,)), np.ones_like(labels))
            assert set(np.unique(alone)) == {group, 255}
