"""What a run's folder holds, and what a run may start from."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from training_runs import final_weights, metrics, short_run

from dlv3 import DeepLabV3, assets, weights
from dlv3.config.run import RunConfig
from dlv3.training import start, train
from dlv3.training.folder import RunFolder
from dlv3.training.metrics_file import MetricsFile


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody changes."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    train(short_run(iterations=4, validation_interval=3, tensorboard=True), out, progress=False)
    return out


def test_folder_holds_all_that_a_run_is(finished: Path):
    names = {file.name for file in finished.iterdir()}
    assert names == {
        "config.json",
        "metrics.jsonl",
        "checkpoint.pt",
        "model.safetensors",
        "predictions",
        "tensorboard",
    }
    config = short_run(iterations=4, validation_interval=3, tensorboard=True)
    assert RunConfig.from_json((finished / "config.json").read_text()) == config


def test_metrics_are_one_json_object_a_line(finished: Path):
    records = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    train_, validation = ([r for r in records if r["kind"] == kind] for kind in ("train", "validation"))
    assert [r["iteration"] for r in train_] == [2, 4]
    assert set(train_[0]) == {"kind", "iteration", "loss", "learning_rate", "pictures_per_second"}
    assert [r["iteration"] for r in validation] == [3, 4]
    assert set(validation[0]["iou"]) >= {"background", "sun", "wire"}
    assert 0 <= validation[0]["miou"] <= 1


def test_final_weights_load_as_the_model(finished: Path):
    model = weights.load(finished / "model.safetensors")
    assert model(torch.zeros(1, 3, 33, 33)).shape == (1, 8, 33, 33)
    state = torch.load(finished / "checkpoint.pt", weights_only=True)
    assert all(torch.equal(t, state["model"][name]) for name, t in model.state_dict().items())


def test_picture_of_predictions_has_picture_labels_and_prediction_side_by_side(finished: Path):
    files = sorted(file.name for file in (finished / "predictions").iterdir())
    assert files == ["000003.png", "000004.png"]
    grid = np.asarray(Image.open(finished / "predictions" / "000004.png"))
    assert grid.shape == (4 * 129 + 3 * 4, 3 * 129 + 2 * 4, 3)
    from dlv3.data import Scenes, colourise

    dataset = Scenes("val", pictures=6)
    image, mask = dataset[0]
    assert (grid[:129, :129] == np.asarray(image).transpose(1, 2, 0)).all()
    assert (grid[:129, 133:262] == colourise(mask, dataset.palette)).all()


def test_tensorboard_has_the_metrics(finished: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(finished / "tensorboard"))
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == [2, 4]
    assert [event.step for event in events.Scalars("validation/miou")] == [3, 4]


def test_run_is_not_overwritten_unasked(finished: Path):
    before = (finished / "model.safetensors").read_bytes()
    with pytest.raises(
        ValueError, match="holds a run already; resume it with --resume, replace it with --overwrite"
    ):
        train(short_run(), finished, progress=False)
    assert (finished / "model.safetensors").read_bytes() == before


def test_overwriting_deletes_the_run_and_nothing_else(tmp_path: Path):
    for name in ("config.json", "checkpoint.pt", "metrics.jsonl", "notes.txt"):
        (tmp_path / name).write_text("old")
    train(short_run(iterations=1), tmp_path, overwrite=True, progress=False)
    assert (tmp_path / "notes.txt").read_text() == "old"
    assert [m["iteration"] for m in metrics(tmp_path)] == [1]


def test_lines_of_progress_say_loss_rate_speed_and_time_left(tmp_path: Path, capsys: pytest.CaptureFixture):
    train(short_run(iterations=4, validation_interval=4), tmp_path / "run")
    lines = capsys.readouterr().err
    for what in ("iteration 2/4", "loss ", "lr ", "pictures/s", " left", "validation mIOU"):
        assert what in lines


def test_bar_on_a_terminal_reaches_the_end_with_loss_rate_and_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    train(short_run(iterations=4), tmp_path / "run")
    last = capsys.readouterr().err.rstrip().split("\r")[-1]
    for what in ("100%", "4/4", "loss ", "lr ", "pictures/s"):
        assert what in last


def test_number_of_classes_has_to_be_the_data_sets(tmp_path: Path):
    with pytest.raises(ValueError, match=r"model\.num_classes=5: the data set 'scenes' has 8 classes"):
        train(short_run(model=dict(num_classes=5)), tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_metrics_file_is_cut_back_to_what_the_checkpoint_knows(tmp_path: Path):
    path = tmp_path / "metrics.jsonl"
    file = MetricsFile(path)
    file.write({"iteration": 1})
    known = file.push()
    file.write({"iteration": 2})
    file.close()
    again = MetricsFile(path, known)
    again.write({"iteration": 2, "iou": {"wire": float("nan")}})
    again.close()
    assert path.read_text() == '{"iteration": 1}\n{"iteration": 2, "iou": {"wire": null}}\n'


def test_folder_under_a_file_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/run: cannot be written to: Not a directory; give another --out"):
        RunFolder(tmp_path / "file" / "run").create()


# -- what a run starts from -------------------------------------------------------------------------------------


def test_run_starts_from_another_runs_weights(finished: Path, tmp_path: Path):
    config = short_run(
        model=dict(output_stride=8),
        initial_weights=str(finished),
        freeze_batch_norm=True,
        iterations=1,
        learning_rate=1e-9,
    )
    train(config, tmp_path / "stage2", progress=False)
    first, second = final_weights(finished), final_weights(tmp_path / "stage2")
    for name, tensor in first.items():
        torch.testing.assert_close(second[name], tensor, rtol=0, atol=1e-6, msg=name)


def test_other_number_of_classes_keeps_all_but_the_last_layer(finished: Path):
    config = short_run(model=dict(num_classes=3), initial_weights=str(finished / "model.safetensors"))
    model, first = start.build_model(config).state_dict(), final_weights(finished)
    different = [name for name in model if not torch.equal(model[name], first[name])]
    assert len(different) == 2
    assert {model[name].shape[0] for name in different} == {3}


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
    shipped = weights.load_tensors(assets.weights(start.SCENES_WEIGHTS))[0]
    assert all(torch.equal(t, shipped[name]) for name, t in model.backbone.state_dict().items())


def test_missing_stand_in_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(start, "SCENES_WEIGHTS", "absent")
    with pytest.raises(FileNotFoundError, match=r"absent\.safetensors: no such weights.*resnet14_scenes"):
        start.build_model(short_run(pretrained="scenes"))


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
