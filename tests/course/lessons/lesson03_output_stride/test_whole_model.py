"""Lesson 03's small model keeps its answers at a smaller output stride, unless it pools the whole map."""

import pytest
import torch

from dlv3.course.lessons.lesson03_output_stride import whole_model


@pytest.mark.parametrize("image_pooling", [False, True])
def test_only_image_pooling_breaks_the_identity_of_the_whole_model(image_pooling):
    model = whole_model.random_model(image_pooling=image_pooling)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    image = torch.rand(1, 3, 65, 65, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        at_16 = model.coarse_logits(image)
        model.set_output_stride(8)
        at_8 = model.coarse_logits(image)
    assert torch.allclose(at_8[:, :, ::2, ::2], at_16, rtol=0, atol=1e-10) != image_pooling
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
