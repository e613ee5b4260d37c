"""The written-out cross-entropy against torch's own: values, gradients, layouts, pictures without labels."""

import pytest
import torch
from torch.nn import functional as F

from dlv3.training.cross_entropy import summed_cross_entropy


def _case(dtype=torch.float64, layout=torch.contiguous_format, ignored=0.3):
    generator = torch.Generator().manual_seed(3)
    logits = 20 * torch.randn(2, 5, 7, 6, generator=generator, dtype=dtype)
    labels = torch.randint(0, 5, (2, 7, 6), generator=generator)
    labels[torch.rand(2, 7, 6, generator=generator) < ignored] = 255
    return logits.contiguous(memory_format=layout).requires_grad_(), labels


def _value_and_gradient(loss_of, logits, labels):
    loss = loss_of(logits, labels)
    (gradient,) = torch.autograd.grad(3 * loss, logits)
    return loss.detach(), gradient


def _ours(logits, labels):
    return summed_cross_entropy(logits, labels, 255)


def _torchs(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255, reduction="sum")


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equals_torch(layout, dtype, tolerance):
    logits, labels = _case(dtype, layout)
    ours, theirs = _value_and_gradient(_ours, logits, labels), _value_and_gradient(_torchs, logits, labels)
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def test_gradient_is_that_of_the_value():
    logits, labels = _case()
    assert torch.autograd.gradcheck(lambda x: _ours(x, labels), (logits,))


def test_no_labelled_pixel_gives_zero_and_no_gradient():
    logits, labels = _case(ignored=2.0)
    loss, gradient = _value_and_gradient(_ours, logits, labels)
    assert loss == 0
    assert not gradient.any()


def test_huge_logits_do_not_overflow():
    logits = torch.tensor([1e4, -1e4, 0.0]).reshape(1, 3, 1, 1).requires_grad_()
    labels = torch.ones(1, 1, 1, dtype=torch.long)
    loss, gradient = _value_and_gradient(_ours, logits, labels)
    assert loss == 2e4
    assert gradient.isfinite().all()


def test_without_a_gradient_and_backward_twice():
    logits, labels = _case()
    with torch.no_grad():
        assert not _ours(logits, labels).requires_grad
    loss = _ours(logits, labels)
    first = torch.autograd.grad(loss, logits, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(loss, logits), first, rtol=0, atol=0)


def test_a_label_out_of_range_is_refused():
    logits, labels = _case()
    labels[0, 0, 0] = 5
    with pytest.raises((RuntimeError, IndexError)):
        _ours(logits, labels)
