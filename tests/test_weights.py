import json
import os
import pickle
from dataclasses import asdict, replace

import pytest
import torch
import torchvision
from randomised import randomise
from safetensors.torch import save_file

from dlv3 import DeepLabV3, DeepLabV3Config, assets, weights
from dlv3.weights import WeightsError

SMALL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=16)


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


def test_a_flipped_bit_is_found_anywhere_and_a_file_without_a_checksum_loads(tmp_path):
    path = tmp_path / "model.safetensors"
    weights.save(randomise(DeepLabV3(SMALL)), path, {"note": "kept"})
    assert weights.load_tensors(path)[1].keys() == {weights.CONFIG_KEY, "note"}
    whole = path.read_bytes()
    for at in (whole.index(b"kept"), len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(WeightsError, match=r"model\.safetensors: is damaged: its checksum"):
            weights.load(path)
    path.write_bytes(whole)
    tensors, metadata = weights.load_tensors(path)
    save_file(tensors, path, metadata)
    assert weights.load(path).config == SMALL


@pytest.mark.parametrize("shipped", ["scenes_laptop"])
def test_shipped_weights_have_no_checksum_and_load(shipped):
    assert weights.load(assets.weights(shipped)).config.in_channels == 3


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict(num_classes=60_000), "of another architecture: classifier.1.weight is"),
        (dict(num_classes=20_000_000), "num_classes=20000000: expected a whole number from 2 to 65536"),
        (
            dict(aspp_channels=10**18),
            "aspp_channels=1000000000000000000: expected a whole number from 1 to 65536",
        ),
        (dict(aspp_rates=[2] * 64), "of another architecture"),
        (dict(aspp_rates=[2] * 10**5), "expected a tuple of at most 64 whole numbers"),
        (dict(num_classes=1), "num_classes=1: expected a whole number from 2 to"),
        (dict(backbone=["resnet14"]), r"backbone=\['resnet14'\]"),
    ],
)
def test_a_received_configuration_is_compared_before_memory_is_taken(tmp_path, monkeypatch, config, message):
    tensors = {name: t.contiguous() for name, t in DeepLabV3(SMALL).state_dict().items()}
    path = tmp_path / "received.safetensors"
    save_file(tensors, path, {weights.CONFIG_KEY: json.dumps(asdict(SMALL) | config)})
    monkeypatch.setattr("dlv3.skeleton.load_state_dict", lambda *_: pytest.fail("was built"))
    with pytest.raises(WeightsError, match=f"received.safetensors: .*{message}") as caught:
        weights.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[]", "3", '"x"', "{", "[" * 100_000, '{"dropout": NaN}', '{"dilation": 1}']
)
def test_a_configuration_that_is_none_is_refused_in_one_line(tmp_path, text):
    save_file({"weight": torch.zeros(1)}, tmp_path / "odd.safetensors", {weights.CONFIG_KEY: text})
    for read in (weights.load, weights.read_config):
        with pytest.raises(
            WeightsError, match=r"odd\.safetensors: its configuration cannot be used"
        ) as caught:
            read(tmp_path / "odd.safetensors")
        assert len(str(caught.value)) < 1000


def test_the_stride_in_force_is_kept(tmp_path):
    model = randomise(DeepLabV3(SMALL))
    model.set_output_stride(8)
    weights.save(model, tmp_path / "model.safetensors")
    loaded = weights.load(tmp_path / "model.safetensors")
    assert (loaded.output_stride, loaded.config.output_stride) == (8, 8)
    assert weights.read_config(tmp_path / "model.safetensors") == loaded.config
    images = torch.randn(1, 3, 33, 49)
    with torch.inference_mode():
        assert torch.equal(loaded(images), model(images))


def test_save_refuses_what_load_would(tmp_path):
    path = tmp_path / "model.safetensors"
    model = DeepLabV3(SMALL)
    model.classifier[-1] = torch.nn.Conv2d(16, 5, 1)
    with pytest.raises(
        WeightsError, match=r"classifier\.1\.weight is \(5, 16, 1, 1\).*model\.with_classes\(n\)"
    ):
        weights.save(model, path)
    with pytest.raises(ValueError, match=r"metadata: 'dlv3\.config' is a name that dlv3 itself uses"):
        weights.save(DeepLabV3(SMALL), path, {weights.CONFIG_KEY: "{}"})
    assert not path.exists()
    weights.save(DeepLabV3(SMALL).with_classes(5), path)
    assert weights.load(path).config.num_classes == 5


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_first_convolution_is_adapted_to_other_channels(channels):
    donor = randomise(DeepLabV3(SMALL)).backbone.state_dict()
    model = randomise(DeepLabV3(replace(SMALL, in_channels=channels)))
    weights.load_backbone(model, donor)
    assert model.backbone.conv1.weight.shape[1] == channels
    colour = DeepLabV3(SMALL).eval()
    weights.load_backbone(colour, donor)
    grey = torch.randn(1, 1, 33, 33)
    with torch.inference_mode():
        found = model.backbone.conv1(grey.expand(-1, channels, -1, -1))
        expected = colour.backbone.conv1(grey.expand(-1, 3, -1, -1))
    if channels in (1, 6):  # every filter as often as the others
        torch.testing.assert_close(found, expected)


def test_backbone_of_a_whole_model_is_taken():
    whole = randomise(DeepLabV3(SMALL))
    model = DeepLabV3(replace(SMALL, num_classes=3))
    weights.load_backbone(model, whole.state_dict())
    assert all(torch.equal(t, whole.backbone.state_dict()[n]) for n, t in model.backbone.state_dict().items())
