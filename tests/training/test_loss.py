"""The loss: labelled pixels only, over the whole batch, on upsampled logits or downsampled labels."""

import pytest
import torch
from torch.nn import functional as F

from dlv3 import DeepLabV3, DeepLabV3Config
from dlv3.training.loss import LossModule, downsample, labelled_pixels, masked_cross_entropy

SMALL = dict(backbone="resnet14", num_classes=3, aspp_rates=(1, 2), aspp_channels=8, dropout=0.0)


def case() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (2, 9, 7), generator=generator)
    labels[0, :4] = 255
    return torch.randn(2, 3, 9, 7, generator=generator), labels


def test_loss_is_torchs_mean_over_labelled_pixels():
    logits, labels = case()
    ours = masked_cross_entropy(logits, labels, labelled_pixels(labels))
    torch.testing.assert_close(ours, F.cross_entropy(logits, labels, ignore_index=255))


def test_parts_of_a_batch_add_up_to_its_loss_though_they_have_unequal_numbers_of_labels():
    logits, labels = case()
    count = labelled_pixels(labels)
    parts = sum(masked_cross_entropy(logits[i : i + 1], labels[i : i + 1], count) for i in range(2))
    torch.testing.assert_close(parts, masked_cross_entropy(logits, labels, count))


def test_batch_without_labels_has_zero_loss_and_zero_gradients():
    logits, labels = case()
    logits.requires_grad_()
    labels.fill_(255)
    loss = masked_cross_entropy(logits, labels, labelled_pixels(labels))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize(("side", "stride"), [(33, 8), (65, 16), (40, 16), (47, 8)])
def test_downsampled_labels_fit_the_coarse_logits(side: int, stride: int):
    model = DeepLabV3(DeepLabV3Config(**SMALL | {"aspp_rates": (2, 4), "output_stride": stride})).eval()
    labels = torch.arange(side * side).view(1, side, side)
    coarse = downsample(labels, stride)
    assert coarse.shape[1:] == model.coarse_logits(torch.zeros(1, 3, side, side)).shape[2:]
    assert coarse[0, 1, 2] == labels[0, stride, 2 * stride]


def test_downsampling_labels_compares_them_with_the_coarse_logits():
    model = DeepLabV3(DeepLabV3Config(**SMALL)).eval()
    images, labels = torch.randn(2, 3, 33, 33), torch.randint(0, 3, (2, 33, 33))
    loss = LossModule(model, downsample_labels=True)
    targets = loss.targets(labels)
    expected = F.cross_entropy(model.coarse_logits(images), labels[:, ::16, ::16])
    torch.testing.assert_close(loss(images, targets, labelled_pixels(targets)), expected)


def test_auxiliary_loss_is_weighted_and_added():
    model = DeepLabV3(DeepLabV3Config(**SMALL, aux=True)).eval()
    images, labels = torch.randn(2, 3, 33, 33), torch.randint(0, 3, (2, 33, 33))
    logits, auxiliary = model.forward_with_auxiliary(images)
    expected = F.cross_entropy(logits, labels) + 0.4 * F.cross_entropy(auxiliary, labels)
    loss = LossModule(model, auxiliary_weight=0.4)
    torch.testing.assert_close(loss(images, labels, labelled_pixels(labels)), expected)


@pytest.mark.parametrize("weights", [(0.5, 2.0, 1.0), (0.001, 0.002, 0.0)])
def test_class_weights_are_torchs(weights: tuple[float, ...]):
    model = DeepLabV3(DeepLabV3Config(**SMALL)).eval()
    images, labels = torch.randn(2, 3, 33, 33), torch.randint(0, 3, (2, 33, 33))
    labels[0, :9] = 255
    loss = LossModule(model, class_weights=weights)
    found = loss(images, labels, loss.normaliser(labels))
    expected = F.cross_entropy(model(images), labels, torch.tensor(weights), ignore_index=255)
    torch.testing.assert_close(found, expected)
    found.backward()
    ours = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    expected.backward()
    for p, gradient in zip(model.parameters(), ours, strict=True):
        torch.testing.assert_close(gradient, p.grad, rtol=1e-4, atol=1e-6)


def test_equal_class_weights_are_none():
    model = DeepLabV3(DeepLabV3Config(**SMALL)).eval()
    images, labels = torch.randn(1, 3, 33, 33), torch.randint(0, 3, (1, 33, 33))
    plain, weighted = LossModule(model), LossModule(model, class_weights=(2.0, 2.0, 2.0))
    torch.testing.assert_close(
        plain(images, labels, plain.normaliser(labels)), weighted(images, labels, weighted.normaliser(labels))
    )
    assert not [name for name in weighted.state_dict() if "class_weights" in name]


def test_autocast_computes_the_network_in_bfloat16_and_the_loss_in_float32():
    model = DeepLabV3(DeepLabV3Config(**SMALL)).eval()
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    images, labels = torch.randn(2, 3, 33, 33), torch.randint(0, 3, (2, 33, 33))
    loss = LossModule(model, autocast=torch.bfloat16)(images, labels, labelled_pixels(labels))
    assert seen == [torch.bfloat16]
    assert loss.dtype == torch.float32
