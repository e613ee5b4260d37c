"""The limit is a real product of matrices, and the reference is torchvision's model with our logits."""

import pytest
import torch
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet50

from benchmarks import machine
from benchmarks.compare import relative_difference
from benchmarks.machine import describe, matrix_product, threads
from benchmarks.reference import our_model, torchvision_model
from dlv3.atrous import AtrousConv2d

CPU = torch.device("cpu")


def test_both_ways_to_multiply_give_the_product():
    left, right = torch.randn(64, 64), torch.randn(64, 64)
    out = torch.empty(64, 64)
    machine._multiply(left, right, out)
    torch.testing.assert_close(out, left @ right)
    if not machine._packs(torch.float32):
        pytest.skip("this torch has no oneDNN")
    packed = machine._packed_product(left, right)()  # (1, columns, 8, 8)
    torch.testing.assert_close(packed.permute(0, 2, 3, 1).reshape(64, 64), left @ right)


def test_a_product_says_its_operations():
    product = matrix_product(torch.float32, CPU, side=64)
    product.run()
    assert product.operations == 2 * 64**3


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_machine_is_named():
    described = describe(CPU)
    assert described.instructions == torch.backends.cpu.get_cpu_capability()
    assert described.name in described.line()
    assert torch.__version__.startswith(described.versions["torch"])


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
