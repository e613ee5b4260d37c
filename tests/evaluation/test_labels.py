"""Labels at the image's size: equal to argmax over all classes, without ever holding all of them."""

import pytest
import torch
from live_peak import peak_bytes
from torch.nn import functional as F

from dlv3.evaluation import labels
from dlv3.evaluation.labels import labels_at_size, upsample


@pytest.mark.parametrize("strip", [1, 5000, 2**20])
@pytest.mark.parametrize("size", [(31, 40), (9, 7), (4, 5), (1, 90), (90, 1)])
def test_labels_at_size_equal_argmax_of_all_classes(size, strip, monkeypatch):
    monkeypatch.setitem(labels.STRIPS, "cpu", strip)
    scores = torch.randn(2, 6, 9, 7, generator=torch.Generator().manual_seed(0))
    scores[:, 4] = scores[:, 2]  # ties go to the first
    expected = F.interpolate(scores, size, mode="bilinear", align_corners=False).argmax(1)
    assert torch.equal(labels_at_size(scores, size), expected)
    assert 4 not in expected


def test_upsampling_is_in_float32_and_in_a_tensor_of_its_own():
    scores = torch.rand(1, 3, 4, 4, dtype=torch.bfloat16)
    assert upsample(scores, (8, 8)).dtype == torch.float32
    same = torch.rand(1, 3, 4, 4)
    assert upsample(same, (4, 4)).data_ptr() != same.data_ptr()


def test_labels_at_size_never_hold_all_classes_at_full_size(monkeypatch):
    monkeypatch.setitem(labels.STRIPS, "cpu", 50 * 64 * 4)  # a row
    scores = torch.rand(1, 50, 4, 4)
    assert peak_bytes(lambda: labels_at_size(scores, (64, 64))) < 8 * 64 * 64 * 4
