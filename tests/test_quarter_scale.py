"""The backbone whose strides are a quarter of the paper's, in the whole model."""

import pytest
import torch
from randomised import randomise

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.resnet import BACKBONES

QUARTER = dict(backbone="resnet17", num_classes=5, output_stride=4, aspp_channels=8)


@pytest.mark.parametrize("first_unit", ["stage", "previous"])
def test_dense_logits_subsampled_equal_strided_logits(first_unit):
    options = QUARTER | dict(output_stride=8, image_pooling=False, aspp_rates=(6, 12, 18))
    model = randomise(DeepLabV3(DeepLabV3Config(**options, first_unit=first_unit))).double()
    images = torch.randn(1, 3, 91, 70, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        strided = model.coarse_logits(images)
        for output_stride in (4, 2, 1):
            model.set_output_stride(output_stride)
            dense = model.coarse_logits(images)
            assert (dense[:, :, ::2, ::2] - strided).abs().max() < 1e-10
            assert strided.std() > 1e-3
            strided = dense


@pytest.mark.parametrize(("quarter", "paper"), [(2, 8), (4, 16), (8, 32)])
def test_rates_are_those_of_the_papers_backbone_at_four_times_the_output_stride(quarter, paper):
    def rates(backbone, output_stride):
        config = DeepLabV3Config(backbone=backbone, output_stride=output_stride, blocks=7, aspp_channels=8)
        with torch.device("meta"):
            model = DeepLabV3(config)
        cascade = [unit.spatial_convs[0].rate for b in (4, 5, 6, 7) for unit in model.backbone.block(b)]
        return cascade, model.aspp.rates

    assert rates("resnet17", quarter) == rates("resnet50", paper)


def test_map_of_a_picture_of_129_is_the_papers_of_513():
    with torch.device("meta"):
        ours = DeepLabV3(DeepLabV3Config(**QUARTER)).coarse_logits(
            torch.zeros(1, 3, 129, 129).repeat(2, 1, 1, 1)
        )
        theirs = DeepLabV3(DeepLabV3Config(num_classes=5)).coarse_logits(torch.zeros(2, 3, 513, 513))
    assert ours.shape == theirs.shape == (2, 5, 33, 33)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            dict(output_stride=16),
            r"expected one of 1, 2, 4, 8 with blocks=4 .*needs blocks=5.*paper's over 4",
        ),
        (dict(output_stride=3), "output_stride=3: expected one of 1, 2, 4, 8"),
        (dict(output_stride=8, aspp_rates=(5,)), r"stated at output stride 4, .*may be 1, 2, 4$"),
        (dict(cascade_rate=0), "cascade_rate=0: expected a whole number from 1 to 4096, or None"),
    ],
)
def test_bad_configurations_are_told_in_this_backbones_terms(options, message):
    with pytest.raises(ValueError, match=message):
        DeepLabV3Config(**(QUARTER | options))


def test_a_cascade_rate_takes_the_place_of_the_output_strides_rates_and_multi_grid_still_multiplies():
    config = DeepLabV3Config(**QUARTER, blocks=6, multi_grid=(1, 2, 1), cascade_rate=3)
    backbone = DeepLabV3(config).backbone
    assert [unit.spatial_convs[0].rate for b in (4, 5, 6) for unit in backbone.block(b)] == [3, 6, 3] * 3
    assert {unit.spatial_convs[0].rate for unit in backbone.block(3)} == {1}


def test_other_backbones_have_the_papers_strides():
    for name in ("resnet50", "resnet101", "resnet14"):
        spec = BACKBONES[name]
        assert spec.output_strides(7) == [4, 8, 16, 32, 64, 128, 256]
        assert spec.paper_output_stride == 16
