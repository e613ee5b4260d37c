"""What a run starts from: another run, a pretrained backbone, or nothing but its seed."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_runs import final_weights, run_to_the_end, short_run

from dlv3 import DeepLabV3, assets, weights
from dlv3.skeleton import skeleton
from dlv3.training import start


def test_fresh_weights_follow_from_the_seed():
    torch.manual_seed(99)
    before = torch.get_rng_state()
    first, again, other = (start.build_model(short_run(seed=seed)).state_dict() for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(t, again[name]) for name, t in first.items())
    assert not torch.equal(first["backbone.conv1.weight"], other["backbone.conv1.weight"])


def test_run_starts_from_another_runs_weights(finished: Path, tmp_path: Path):
    config = short_run(
        model=dict(output_stride=8),
        initial_weights=str(finished),
        freeze_batch_norm=True,
        iterations=1,
        learning_rate=1e-9,
    )
    run_to_the_end(config, tmp_path / "stage2")
    first, second = final_weights(finished), final_weights(tmp_path / "stage2")
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=0, atol=1e-6, msg=name)


def test_other_number_of_classes_keeps_all_but_the_last_layer(finished: Path):
    config = short_run(model=dict(num_classes=3), initial_weights=str(finished / "model.safetensors"))
    model, first = start.build_model(config).state_dict(), final_weights(finished)
    different = [name for name in model if not torch.equal(model[name], first[name])]
    assert len(different) == 2
    assert {model[name].shape[0] for name in different} == {3}


def without_counters(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_initial_weights_may_be_a_bare_state_dict_of_either_format(
    finished: Path, tmp_path: Path, suffix: str
):
    state = without_counters(final_weights(finished))
    path = tmp_path / f"bare.{suffix}"
    weights.save_tensors(state, path, {}) if suffix == "safetensors" else torch.save(state, path)
    found = start.build_model(short_run(initial_weights=str(path))).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


def test_initial_weights_may_be_the_checkpoint_of_a_run(finished: Path):
    config = short_run(initial_weights=str(finished / "checkpoint.pt"))
    with pytest.warns(UserWarning, match=r"checkpoint\.pt: the weights are its entry 'model'"):
        found = start.build_model(config).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in final_weights(finished).items())


def test_an_auxiliary_classifier_of_one_of_the_two_is_fresh_or_left_out(finished: Path, tmp_path: Path):
    with_aux = start.build_model(short_run(model=dict(aux=True), initial_weights=str(finished)))
    first = final_weights(finished)
    assert all(torch.equal(with_aux.state_dict()[name], tensor) for name, tensor in first.items())
    weights.save(with_aux, tmp_path / "aux.safetensors")
    without = start.build_model(short_run(initial_weights=str(tmp_path / "aux.safetensors"), seed=3))
    assert all(torch.equal(without.state_dict()[name], tensor) for name, tensor in first.items())


def test_initial_weights_are_adapted_to_grey_pictures(finished: Path):
    config = short_run(model=dict(in_channels=1, num_classes=3), initial_weights=str(finished))
    found, first = start.build_model(config).state_dict(), final_weights(finished)
    expected = first["backbone.conv1.weight"].sum(dim=1, keepdim=True)
    assert torch.equal(found["backbone.conv1.weight"], expected)


def test_weights_trained_with_the_other_rule_for_a_first_unit_are_warned_about(finished: Path):
    config = short_run(model=dict(first_unit="previous"), initial_weights=str(finished))
    with pytest.warns(
        UserWarning, match=r"was trained with first_unit='stage'.*give model\.first_unit=stage"
    ):
        start.build_model(config)


def test_torchvisions_published_model_is_fetched_by_the_name_of_its_builder(monkeypatch: pytest.MonkeyPatch):
    theirs = skeleton(weights.torchvision_config_of("resnet50", aux=True))
    state = {name: torch.full_like(t, 0.5, device="cpu") for name, t in theirs.state_dict().items()}
    asked = []

    def fetched(url: str, **_: object) -> dict[str, torch.Tensor]:
        asked.append(url)
        return without_counters(state)

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fetched)
    of = start.config_of_initial("deeplabv3_resnet50")
    assert of is not None
    config = short_run(initial_weights="deeplabv3_resnet50")
    found = start.build_model(replace(config, model=replace(of, num_classes=5))).state_dict()
    assert [url.rsplit("/", 1)[1] for url in asked] == ["deeplabv3_resnet50_coco-cd0a2569.pth"]
    fresh = [name for name, tensor in found.items() if tensor.is_floating_point() and (tensor != 0.5).any()]
    assert fresh == ["classifier.4.weight", "classifier.4.bias"]


def test_published_models_that_cannot_be_fetched_are_named(monkeypatch: pytest.MonkeyPatch):
    def no_network(*_: object, **__: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(
        ValueError,
        match=r"training\.initial_weights='deeplabv3_resnet101': .*cannot be downloaded.*give the file",
    ):
        start.load_initial(DeepLabV3(short_run().model), "deeplabv3_resnet101")


def test_initial_weights_of_another_network_are_refused(finished: Path):
    config = short_run(model=dict(aspp_channels=8), initial_weights=str(finished))
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        start.build_model(config)


def test_missing_initial_weights_are_named(tmp_path: Path):
    config = short_run(initial_weights=str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"training\.initial_weights=.*give a finished run's folder"):
        start.build_model(config)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_backbone_starts_from_a_file(tmp_path: Path, suffix: str):
    donor = DeepLabV3(short_run().model).backbone.state_dict()
    path = tmp_path / f"backbone.{suffix}"
    weights.save_tensors(donor, path, {}) if suffix == "safetensors" else torch.save(donor, path)
    model = start.build_model(short_run(pretrained=str(path), seed=5))
    assert all(torch.equal(t, donor[name]) for name, t in model.backbone.state_dict().items())


def test_stand_in_weights_come_with_the_project():
    model = start.build_model(short_run(pretrained="scenes", seed=5))
    shipped = weights.load_tensors(assets.weights("resnet14_scenes"))[0]
    assert all(torch.equal(t, shipped[name]) for name, t in model.backbone.state_dict().items())


def test_missing_file_of_pretrained_weights_is_named_with_its_option():
    with pytest.raises(
        FileNotFoundError, match=r"training\.pretrained='nowhere\.pth': no such file; give one, or"
    ):
        start.build_model(short_run(pretrained="nowhere.pth"))


def test_missing_stand_in_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setitem(start.SMALL, "absent", "resnet14")
    with pytest.raises(
        FileNotFoundError, match=r"resnet14_absent\.safetensors: no such weights.*resnet14_scenes"
    ):
        start.build_model(short_run(pretrained="absent"))


def test_pretrained_weights_of_another_backbone_are_refused():
    with pytest.raises(ValueError, match=r"training\.pretrained='imagenet': torchvision has no resnet14"):
        start.build_model(short_run(pretrained="imagenet"))
    with pytest.raises(ValueError, match=r"training\.pretrained='scenes': those weights are of resnet14"):
        start.pretrained_backbone("scenes", "resnet50")


def test_imagenet_weights_without_a_network_say_what_to_do(monkeypatch: pytest.MonkeyPatch):
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", no_network)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)
    with pytest.raises(
        ValueError, match=r"resnet50-\w+\.pth cannot be downloaded \(Name or service not known\)"
    ):
        start.pretrained_backbone("imagenet", "resnet50")


ODD = {
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "pipe": (os.mkfifo, "is a pipe or a device"),
    "empty.pth": (lambda path: path.write_bytes(b""), "cannot be read as a checkpoint"),
    "empty.safetensors": (lambda path: path.write_bytes(b""), "cannot be read as safetensors"),
    "text.txt": (lambda path: path.write_text("weights"), "cannot be read as a checkpoint"),
    "list.pth": (lambda path: torch.save([1, 2], path), "expected tensors by name"),
    "other.safetensors": (
        lambda path: weights.save_tensors({"a": torch.zeros(3)}, path, {}),
        r"of another architecture: conv1\.weight is missing",
    ),
    "missing.pth": (
        lambda path: None,
        "no such file; give one, or imagenet, scenes, objects or none",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pretrained_file_is_named_with_its_option_before_anything_is_built(tmp_path: Path, name: str):
    make, reason = ODD[name]
    make(tmp_path / name)
    with pytest.raises((ValueError, FileNotFoundError), match=rf"^training\.pretrained.*{name}.*{reason}"):
        start.require_sources(short_run(pretrained=str(tmp_path / name)))


def test_sources_that_fit_are_accepted_without_a_download(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(start, "_downloaded", lambda *_: pytest.fail("was downloaded"))
    start.require_sources(short_run(pretrained="scenes"))
    start.require_sources(short_run(model=dict(backbone="resnet50"), pretrained="imagenet"))
    start.require_sources(short_run(initial_weights="deeplabv3_resnet50"))
    with pytest.raises(ValueError, match="torchvision has no resnet14"):
        start.require_sources(short_run(pretrained="imagenet"))


def test_weights_that_are_not_finite_start_no_training(finished: Path, tmp_path: Path):
    state = weights.load_tensors(finished / "model.safetensors")[0]
    state["backbone.conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    for options in (
        dict(initial_weights=str(tmp_path / "nan.pth")),
        dict(pretrained=str(tmp_path / "nan.pth")),
    ):
        with pytest.raises(
            ValueError, match=r"nan\.pth: backbone\.conv1\.weight has values that are not finite"
        ):
            start.build_model(short_run(**options))
