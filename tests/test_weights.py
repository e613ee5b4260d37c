import json
import os
import pickle

import pytest
import torch
import torchvision
from randomised import randomise
from safetensors.torch import save_file
from torch.nn import functional as F
from torchvision.models.segmentation import deeplabv3_resnet50, deeplabv3_resnet101

from dlv3 import DeepLabV3, DeepLabV3Config, weights
from dlv3.weights import WeightsError

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)
BUILDERS = {"resnet50": deeplabv3_resnet50, "resnet101": deeplabv3_resnet101}
PARAMETERS = {"resnet50": (39_638_869, 42_004_074), "resnet101": (58_630_997, 60_996_202)}


@pytest.fixture(scope="module", name="theirs", params=list(BUILDERS))
def torchvision_model(request) -> tuple[str, torch.nn.Module]:
    """torchvision's model with its auxiliary classifier: each depth is built once, for all tests of it in turn."""
    return request.param, build(request.param)


def build(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return randomise(BUILDERS[name](weights=None, weights_backbone=None, num_classes=21, aux_loss=True))


def without_aux(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: t for name, t in model.state_dict().items() if not name.startswith("aux_classifier.")}


@pytest.mark.slow
def test_logits_equal_torchvisions(theirs):
    theirs = theirs[1]
    ours = weights.from_torchvision(without_aux(theirs))
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        for size in [(513, 513), (197, 310)]:
            images = torch.randn(1, 3, *size, generator=generator)
            expected = upsampled(theirs, images)
            assert expected.std() > 0.01
            assert (ours(images) - expected).abs().max() < 1e-4
        ours, theirs = ours.double(), theirs.double()
        # On the map of (41, 25) every tap of every rate meets the map along one axis, and not along the other.
        for size in [(321, 197), (197, 310)]:
            images = torch.randn(1, 3, *size, generator=generator, dtype=torch.float64)
            assert (ours(images) - upsampled(theirs, images)).abs().max() < 1e-10
    theirs.float()


def upsampled(theirs: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    """torchvision's logits without its auxiliary ones."""
    logits = theirs.classifier(theirs.backbone(images)["out"])
    return F.interpolate(logits, size=images.shape[2:], mode="bilinear", align_corners=False)


def test_parameter_counts_are_torchvisions(theirs):
    name, model = theirs
    counts = []
    for aux, state_dict in [(False, without_aux(model)), (True, model.state_dict())]:
        ours = weights.from_torchvision(state_dict, keep_aux=aux)
        counts.append(sum(p.numel() for p in ours.parameters()))
        assert counts[-1] == sum(p.numel() for n, p in model.named_parameters() if n in state_dict)
    assert tuple(counts) == PARAMETERS[name]


def test_auxiliary_classifier_is_ignored_or_kept(theirs):
    theirs = theirs[1]
    images = torch.randn(1, 3, 65, 80)
    kept = weights.from_torchvision(theirs.state_dict(), keep_aux=True)
    with torch.inference_mode():
        expected = theirs(images)
        logits, auxiliary = kept.forward_with_auxiliary(images)
        torch.testing.assert_close(logits, expected["out"], atol=1e-4, rtol=0)
        torch.testing.assert_close(auxiliary, expected["aux"], atol=1e-4, rtol=0)
        ignored = weights.from_torchvision(theirs.state_dict())
        assert ignored.aux_classifier is None
        torch.testing.assert_close(ignored(images), expected["out"], atol=1e-4, rtol=0)
    with pytest.raises(WeightsError, match="keep_aux=True"):
        weights.from_torchvision(without_aux(theirs), keep_aux=True)


def test_ours_go_back_to_torchvision(theirs):
    name, model = theirs
    state_dict = weights.to_torchvision(weights.from_torchvision(without_aux(model)))
    with torch.device("meta"):
        again = BUILDERS[name](weights=None, weights_backbone=None, num_classes=21)
    again.load_state_dict(state_dict, assign=True)
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in without_aux(model).items())
    with pytest.raises(WeightsError, match=r"multi_grid=\(1, 1, 1\)"):
        weights.to_torchvision(DeepLabV3(SMALL))


def test_other_state_dicts_are_not_taken_for_torchvisions():
    with pytest.raises(WeightsError, match="not of torchvision"):
        weights.from_torchvision(DeepLabV3(SMALL).state_dict())


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_imagenet_backbone_loads_and_computes_the_same_features(name):
    classifier = randomise(getattr(torchvision.models, name)(weights=None))
    model = DeepLabV3(
        DeepLabV3Config(backbone=name, output_stride=32, multi_grid=(1, 1, 1), first_unit="previous")
    ).eval()
    weights.load_backbone(model, classifier.state_dict())
    images = torch.randn(1, 3, 65, 65)
    trunk = torch.nn.Sequential(*list(classifier.children())[:-2])
    with torch.inference_mode():
        torch.testing.assert_close(model.backbone(images), trunk(images), atol=1e-4, rtol=1e-4)


def test_cascaded_blocks_start_as_copies_of_block4():
    donor = randomise(DeepLabV3(SMALL)).backbone.state_dict()
    model = DeepLabV3(DeepLabV3Config(backbone="resnet14", blocks=6, aspp_rates=()))
    untouched = model.backbone.layer5[1].conv1.weight.clone()
    weights.load_backbone(model, donor, replicate=False)
    assert torch.equal(model.backbone.layer5[1].conv1.weight, untouched)
    weights.load_backbone(model, donor)
    for layer in (model.backbone.layer5, model.backbone.layer6):
        for unit, source in [(0, 1), (1, 1), (2, 2)]:
            assert torch.equal(layer[unit].conv1.weight, donor[f"layer4.{source}.conv1.weight"])
            assert torch.equal(layer[unit].bn2.running_var, donor[f"layer4.{source}.bn2.running_var"])


def test_weights_of_another_backbone_are_refused_in_one_line():
    with pytest.raises(
        WeightsError, match=r"backbone: of another architecture: .*\(and \d+ more\)"
    ) as caught:
        weights.load_backbone(DeepLabV3(SMALL), torchvision.models.resnet18(weights=None).state_dict())
    assert "\n" not in str(caught.value)


def test_saved_model_loads_with_its_configuration_and_gives_the_same_logits(tmp_path):
    model = randomise(DeepLabV3(SMALL)).to(memory_format=torch.channels_last)
    weights.save(model, tmp_path / "model.safetensors", {"note": "kept"})
    loaded = weights.load(tmp_path / "model.safetensors")
    assert loaded.config == SMALL
    assert not loaded.training
    images = torch.randn(1, 3, 65, 65)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(images), model(images))
    assert weights.load_tensors(tmp_path / "model.safetensors")[1]["note"] == "kept"
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    model = randomise(DeepLabV3(SMALL))
    weights.save(model, path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space")))
    with pytest.raises(OSError, match="no space"):
        weights.save(model, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_missing_truncated_and_foreign_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.safetensors: no such file"):
        weights.load(tmp_path / "none.safetensors")
    path = tmp_path / "model.safetensors"
    weights.save(DeepLabV3(SMALL), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"model.safetensors: cannot be read.*truncated"):
        weights.load(path)
    save_file({"weight": torch.zeros(1)}, tmp_path / "bare.safetensors")
    with pytest.raises(WeightsError, match="bare.safetensors: has no configuration inside"):
        weights.load(tmp_path / "bare.safetensors")


def test_a_file_whose_configuration_and_tensors_disagree_is_refused(tmp_path):
    tensors = {name: t.contiguous() for name, t in DeepLabV3(SMALL).state_dict().items()}
    config = {"backbone": "resnet14", "num_classes": 9, "aspp_rates": [2, 4, 6], "aspp_channels": 16}
    save_file(tensors, tmp_path / "odd.safetensors", {weights.CONFIG_KEY: json.dumps(config)})
    with pytest.raises(
        WeightsError, match=r"odd.safetensors: of another architecture: classifier.1.weight is \(8,"
    ):
        weights.load(tmp_path / "odd.safetensors")
    save_file(tensors, tmp_path / "bad.safetensors", {weights.CONFIG_KEY: json.dumps({"blocks": 3})})
    with pytest.raises(WeightsError, match="bad.safetensors: its configuration cannot be used: blocks=3"):
        weights.load(tmp_path / "bad.safetensors")


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "write", [torch.save, lambda o, p: p.write_bytes(pickle.dumps(o))], ids=["zip", "pickle"]
)
def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, write):
    write({"model": Malicious(tmp_path / "pwned")}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError, match="evil.pth: refused"):
        weights.load_pickle(tmp_path / "evil.pth")
    assert not (tmp_path / "pwned").exists()


def test_a_plain_checkpoint_loads_and_a_truncated_one_is_named(tmp_path):
    path = tmp_path / "model.pth"
    torch.save({"weight": torch.arange(1000)}, path)
    assert torch.equal(weights.load_pickle(path)["weight"], torch.arange(1000))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(WeightsError, match="model.pth: cannot be read"):
        weights.load_pickle(path)
    path.write_text("")
    with pytest.raises(WeightsError, match="model.pth: cannot be read"):
        weights.load_pickle(path)
    with pytest.raises(FileNotFoundError, match="none.pth"):
        weights.load_pickle(tmp_path / "none.pth")
