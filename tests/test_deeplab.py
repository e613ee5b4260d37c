from dataclasses import asdict, replace

import pytest
import torch
from paper_rows import ROWS
from randomised import randomise
from torch.export import Dim
from torchvision.models.feature_extraction import create_feature_extractor

from dlv3 import DeepLabV3, DeepLabV3Config, deeplabv3_resnet50, deeplabv3_resnet101
from dlv3.fast import for_training

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)


def parameters(model: DeepLabV3) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("size", [(513, 513), (500, 375), (1, 1), (17, 300)])
@pytest.mark.parametrize("output_stride", [8, 16])
def test_logits_have_the_size_of_any_image(size, output_stride):
    model = DeepLabV3(replace(SMALL, output_stride=output_stride)).eval()
    with torch.inference_mode():
        assert model(torch.randn(2, 3, *size)).shape == (2, 8, *size)
        coarse = tuple(-(-side // output_stride) for side in size)
        assert model.coarse_logits(torch.randn(1, 3, *size)).shape == (1, 8, *coarse)


@pytest.mark.parametrize("first_unit", ["stage", "previous"])
@pytest.mark.parametrize("backbone", ["resnet14", "resnet50"])
def test_dense_logits_subsampled_equal_strided_logits(backbone, first_unit):
    config = DeepLabV3Config(
        backbone=backbone, num_classes=5, output_stride=32, aspp_rates=(6, 12, 18), aspp_channels=32,
        image_pooling=False, first_unit=first_unit,
    )  # fmt: skip
    model = randomise(DeepLabV3(config)).double()
    images = torch.randn(1, 3, 65, 46, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        strided = model.coarse_logits(images)
        for output_stride in (16, 8, 4):
            model.set_output_stride(output_stride)
            dense = model.coarse_logits(images)
            assert (dense[:, :, ::2, ::2] - strided).abs().max() < 1e-10
            assert strided.std() > 1e-3
            strided = dense


def test_image_pooling_breaks_the_identity_because_it_averages_another_map():
    model = randomise(DeepLabV3(replace(SMALL, output_stride=16))).double()
    images = torch.randn(1, 3, 65, 65, dtype=torch.float64)
    with torch.inference_mode():
        strided = model.coarse_logits(images)
        model.set_output_stride(8)
        assert (model.coarse_logits(images)[:, :, ::2, ::2] - strided).abs().max() > 1e-6


def test_output_stride_changes_in_place_and_doubles_the_rates_of_aspp():
    model = DeepLabV3(SMALL)
    before = {name: t.clone() for name, t in model.state_dict().items()}
    model.set_output_stride(8)
    assert (model.output_stride, model.aspp.rates) == (8, (4, 8, 12))
    assert model.config.output_stride == 16
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    with pytest.raises(ValueError, match="output_stride=12: expected one of 4, 8, 16, 32 with blocks=4"):
        model.set_output_stride(12)
    assert (model.output_stride, model.aspp.rates) == (8, (4, 8, 12))


def rows_of_one_set_of_weights() -> dict[DeepLabV3Config, list[DeepLabV3Config]]:
    """The rows that differ in output stride and multi-grid only, by their model at output stride 16."""
    groups: dict[DeepLabV3Config, list[DeepLabV3Config]] = {}
    for config in dict.fromkeys(ROWS.values()):
        groups.setdefault(replace(config, output_stride=16, multi_grid=(1, 1, 1)), []).append(config)
    return groups


every_set_of_weights = pytest.mark.parametrize(
    "config", rows_of_one_set_of_weights(), ids=lambda c: f"{c.backbone}-{c.blocks}-{c.aspp_rates}"
)


@every_set_of_weights
def test_parameters_of_a_papers_row_do_not_depend_on_output_stride_or_multi_grid(config):
    variants = [replace(config, output_stride=8), replace(config, output_stride=32, multi_grid=(2, 2, 2))]
    with torch.device("meta"):  # counts without memory
        counts = {
            parameters(DeepLabV3(row)) for row in [config, *variants, *rows_of_one_set_of_weights()[config]]
        }
    assert len(counts) == 1


@pytest.mark.slow
@every_set_of_weights
def test_every_row_of_the_papers_tables_runs_forward_and_backward(config):
    model = for_training(DeepLabV3(config)).train()
    images = torch.randn(2, 3, 33, 33)
    for row in rows_of_one_set_of_weights()[config]:
        model.backbone.set_multi_grid(row.multi_grid)
        model.set_output_stride(row.output_stride)
        model.zero_grad()
        logits = model(images)
        assert logits.shape == (2, 21, 33, 33)
        logits.square().mean().backward()
        grads = [p.grad for p in model.parameters()]
        assert all(g is not None and g.isfinite().all() for g in grads), row
        assert model.backbone.conv1.weight.grad.abs().max() > 0, row


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(backbone="resnet18"), "backbone='resnet18': expected one of 'resnet50', 'resnet101'"),
        (dict(num_classes=0), "num_classes=0: expected a whole number from 2 to 65536"),
        (dict(num_classes=1), "num_classes=1: .*an object against the rest is two classes, background and object"),
        (dict(in_channels=0), "in_channels=0: expected a whole number from 1 to 65536"),
        (dict(num_classes=2.0), "num_classes=2.0: expected a whole number"),
        (dict(output_stride=12), "output_stride=12: expected one of 4, 8, 16, 32 with blocks=4"),
        (dict(output_stride=2), "output_stride=2: expected one of 4, 8, 16, 32"),
        (dict(output_stride=64), r"output_stride=64: .*needs blocks=5"),
        (dict(output_stride=256, blocks=6, aspp_rates=()), r"output_stride=256: .*needs blocks=7"),
        (dict(output_stride="16"), "output_stride='16': expected one of"),
        (dict(blocks=3), "blocks=3: expected one of 4, 5, 6, 7"),
        (dict(blocks=8), "blocks=8: expected one of 4, 5, 6, 7"),
        (dict(blocks=4.0), "blocks=4.0"),
        (dict(multi_grid=(1, 2)), r"multi_grid=\(1, 2\): expected 3 unit rates"),
        (dict(multi_grid=(1, 2, 0)), r"multi_grid=\(1, 2, 0\): expected a tuple of .* whole numbers from 1 to 4096"),
        (dict(multi_grid=2), "multi_grid=2: expected a tuple"),
        (dict(aspp_rates=(6, -12)), r"aspp_rates=\(6, -12\): expected a tuple of .* whole numbers from 1 to 4096"),
        (dict(aspp_rates=(6, 1.5)), r"aspp_rates=\(6, 1.5\)"),
        (dict(aspp_rates=None), "aspp_rates=None: expected a tuple"),
        (dict(aspp_rates=(5,), output_stride=32), r"output_stride=32: .*not whole"),
        (dict(aspp_channels=0), "aspp_channels=0"),
        (dict(image_pooling=1), "image_pooling=1: expected True or False"),
        (dict(first_unit="first"), "first_unit='first': expected one of 'stage', 'previous'"),
        (dict(dropout=1.0), "dropout=1.0: expected a number from 0 to below 1"),
        (dict(extra_conv=True, aspp_rates=()), "extra_conv=True: expected False with the plain classifier"),
    ],
)  # fmt: skip
def test_bad_configurations_say_field_value_and_what_is_allowed(options, message):
    with pytest.raises(ValueError, match=message):
        DeepLabV3Config(**options)


def test_configuration_survives_json_and_names_an_unknown_field():
    import json

    assert DeepLabV3Config.from_dict(json.loads(json.dumps(asdict(SMALL)))) == SMALL
    with pytest.raises(ValueError, match="'dilation' is not a field"):
        DeepLabV3Config.from_dict({"dilation": 2})


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.rand(1, 1, 9, 9), ValueError, r"images.shape=\(1, 1, 9, 9\): expected \(N, 3, H, W\)"),
        (torch.rand(3, 9, 9), ValueError, r"add the batch axis with images\[None\]"),
        (torch.rand(0, 3, 9, 9), ValueError, r"images.shape=\(0, 3, 9, 9\): expected at least one image"),
        (torch.rand(1, 3, 0, 9), ValueError, "expected at least one image of at least 1×1"),
        (
            torch.zeros(1, 3, 9, 9, dtype=torch.uint8),
            TypeError,
            r"images.dtype=torch.uint8.*images.float\(\) / 255",
        ),
        (
            torch.rand(1, 3, 9, 9, dtype=torch.float64),
            TypeError,
            "torch.float64: the model's weights are torch.float32",
        ),
        ([[1.0]], TypeError, "expected a tensor"),
    ],
)
def test_bad_images_say_what_is_wrong_and_what_to_do(images, error, message):
    with pytest.raises(error, match=message):
        DeepLabV3(SMALL).eval()(images)


def test_a_training_batch_of_one_with_image_pooling_is_refused_with_advice():
    with pytest.raises(ValueError, match="training batch of 1"):
        DeepLabV3(SMALL).train()(torch.rand(1, 3, 65, 65))
    DeepLabV3(replace(SMALL, image_pooling=False)).train()(torch.rand(1, 3, 65, 65))
    model = DeepLabV3(SMALL).train()
    model.freeze_batch_norm()
    model(torch.rand(1, 3, 65, 65))


@pytest.mark.parametrize("aspp_rates", [(2, 4, 6), ()])
def test_with_classes_is_a_copy_with_fresh_last_layers(aspp_rates):
    model = randomise(DeepLabV3(replace(SMALL, aspp_rates=aspp_rates, aux=True))).double()
    model.set_output_stride(8)
    model.freeze_batch_norm()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    other = model.with_classes(3)
    assert (other.config, other.output_stride) == (replace(model.config, num_classes=3), 8)
    assert other.batch_norm_frozen
    assert not other.training
    found = other.state_dict()
    fresh = {name for name in before if found[name].shape != before[name].shape}
    assert len(fresh) == 4
    assert all(torch.equal(found[name], before[name]) for name in before.keys() - fresh)
    logits = other.forward_with_auxiliary(torch.rand(1, 3, 33, 49, dtype=torch.float64))
    assert [t.shape for t in logits] == [(1, 3, 33, 49)] * 2
    sum(t.mean() for t in logits).backward()
    assert model.backbone.conv1.weight.grad is None
    assert model.config.num_classes == 8
    with pytest.raises(ValueError, match="num_classes=1"):
        model.with_classes(1)


@pytest.mark.parametrize("channels", [1, 5])
def test_images_may_have_other_channels_served_too(channels):
    model = randomise(DeepLabV3(replace(SMALL, in_channels=channels)))
    images = torch.randn(2, channels, 33, 49)
    with torch.inference_mode():
        logits = model(images)
        assert logits.shape == (2, 8, 33, 49)
        torch.testing.assert_close(model.for_inference()(images), logits, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=rf"images.shape=\(1, 3, 9, 9\): expected \(N, {channels}, H, W\)"):
        model(torch.rand(1, 3, 9, 9))


def test_frozen_batch_norm_stays_frozen_through_train_and_thaws_on_demand():
    model = DeepLabV3(SMALL)
    model.freeze_batch_norm()
    model.train()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    model(torch.rand(2, 3, 65, 65)).mean().backward()
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    assert model.backbone.bn1.weight.grad is None
    assert model.backbone.conv1.weight.grad is not None
    model.unfreeze_batch_norm()
    model(torch.rand(2, 3, 65, 65))
    assert not torch.equal(model.backbone.bn1.running_mean, before["backbone.bn1.running_mean"])


def test_batch_norm_momentum_is_pytorchs_not_the_decay():
    model = DeepLabV3(SMALL)
    model.set_batch_norm_momentum(0.0003)
    assert {bn.momentum for bn in model.modules() if isinstance(bn, torch.nn.BatchNorm2d)} == {0.0003}
    with pytest.raises(ValueError, match="momentum=0"):
        model.set_batch_norm_momentum(0)


def test_auxiliary_logits_come_from_block3_and_only_where_asked_for():
    model = randomise(DeepLabV3(replace(SMALL, aux=True)))
    images = torch.rand(2, 3, 65, 65)
    logits, auxiliary = model.forward_with_auxiliary(images)
    assert logits.shape == auxiliary.shape == (2, 8, 65, 65)
    torch.testing.assert_close(logits, model(images))
    with pytest.raises(ValueError, match="aux=False"):
        DeepLabV3(SMALL).forward_with_auxiliary(images)


def test_autocast_gives_float32_logits():
    model = randomise(DeepLabV3(SMALL))
    with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
        assert model(torch.rand(1, 3, 65, 65)).dtype == torch.float32


def test_named_variants_build_their_backbone():
    with torch.device("meta"):
        assert deeplabv3_resnet50(num_classes=3).config == DeepLabV3Config(backbone="resnet50", num_classes=3)
        assert deeplabv3_resnet101(output_stride=8).backbone.output_stride == 8


def test_cascade_with_plain_classifier_has_no_aspp():
    model = DeepLabV3(replace(SMALL, aspp_rates=(), blocks=7, output_stride=256)).eval()
    assert model.aspp is None
    assert model(torch.rand(1, 3, 65, 65)).shape == (1, 8, 65, 65)


@pytest.mark.parametrize("first_unit", ["stage", "previous"])
@pytest.mark.parametrize("output_stride", [8, 16])
def test_model_exports_with_any_batch_height_and_width(output_stride, first_unit):
    config = replace(SMALL, output_stride=output_stride, aspp_rates=(6, 12, 18), first_unit=first_unit)
    model = randomise(DeepLabV3(config))
    side = {"min": 64, "max": 2048}
    sizes = {0: Dim("N", min=1, max=64), 2: Dim("H", **side), 3: Dim("W", **side)}
    exported = torch.export.export(model, (torch.randn(2, 3, 65, 97),), dynamic_shapes=(sizes,)).module()
    with torch.inference_mode():
        for size in [(1, 3, 64, 64), (3, 3, 129, 70), (1, 3, 64, 321), (1, 3, 513, 65)]:
            images = torch.randn(size)
            torch.testing.assert_close(exported(images), model(images), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore::torch.jit.TracerWarning")
def test_a_model_traced_on_small_images_gives_the_same_logits_on_large_ones():
    model = randomise(DeepLabV3(replace(SMALL, aspp_rates=(6, 12, 18))))
    with torch.no_grad():
        traced = torch.jit.trace(model, torch.randn(1, 3, 65, 65))
        for side in (129, 257):
            images = torch.randn(2, 3, side, side)
            logits = model(images)
            torch.testing.assert_close(traced(images), logits, rtol=1e-5, atol=1e-5)
            assert torch.equal(traced(images).argmax(dim=1), logits.argmax(dim=1))


@pytest.mark.filterwarnings("ignore:NOTE. The nodes obtained by tracing:UserWarning")
def test_torchvision_extracts_features_in_training_and_evaluation_mode():
    model = randomise(DeepLabV3(SMALL))
    images = torch.randn(2, 3, 65, 81)
    extract = create_feature_extractor(model, {"backbone.layer3": "block3", "classifier.0": "aspp"})
    found, maps = extract.eval()(images), model.backbone.feature_maps(images)
    assert torch.equal(found["block3"], maps["block3"])
    assert torch.equal(found["aspp"], model.aspp(maps["block4"]))
    assert extract.train()(images)["aspp"].shape == (2, 16, 5, 6)
