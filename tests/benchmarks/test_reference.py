"""The reference is torchvision's model, with our logits."""

import pytest
import torch
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet50

from benchmarks.compare import relative_difference
from benchmarks.reference import our_model, torchvision_model
from dlv3.atrous import AtrousConv2d


@pytest.mark.parametrize("output_stride", [8, 16])
def test_the_reference_has_our_logits_at_its_output_stride(output_stride):
    theirs = torchvision_model(output_stride)
    ours = our_model(theirs, output_stride)
    assert ours.output_stride == output_stride
    images = torch.randn(1, 3, 49, 65, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(images)["out"]
        assert expected.std() > 0.01  # nothing is degenerate
        assert relative_difference(ours(images), expected) < 1e-5
    rates = [m.dilation[0] for m in theirs.modules() if isinstance(m, nn.Conv2d)]
    assert sorted(rates)[-3:] == sorted(m.rate for m in ours.modules() if isinstance(m, AtrousConv2d))[-3:]
    assert sorted(rates)[-3:] == [96 // output_stride * k for k in (1, 2, 3)]


def test_at_output_stride_8_the_reference_is_torchvisions_own():
    own = deeplabv3_resnet50(weights=None, weights_backbone=None)
    assert str(torchvision_model(8)) == str(own.eval())
    with pytest.raises(ValueError, match="output_stride=4: expected 8 or 16"):
        torchvision_model(4)
