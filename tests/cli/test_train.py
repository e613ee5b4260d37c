"""`dlv3 train` from the words of the command line to a run's folder."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from command_lines import TINY, one_error_line

from dlv3 import DeepLabV3, weights
from dlv3.cli import main
from dlv3.cli.train import defaults
from dlv3.config.presets import preset
from dlv3.config.run import RunConfig
from dlv3.skeleton import skeleton
from dlv3.training import checkpoint


def test_help_of_train_shows_the_presets_values_and_the_papers_sections(capsys: pytest.CaptureFixture):
    main(["train", "--help", "--preset", "paper"])
    text = " ".join(capsys.readouterr().out.split())
    for expected in (
        "--training.learning-rate",
        "default: 0.007)",
        "--ignore",
        "--train-images",
        "§4.1",
    ):
        assert expected in text


def test_every_group_of_options_changes_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture):
    out = tmp_path / "run"
    options = ["--model.output-stride", "8", "--training.learning-rate=0.01", "--training.scale", "0.5", "1"]
    options += ["--evaluation.flip", "--no-scene-cue", "--data-seed", "3", "--training.no-channels-last"]
    assert main([*TINY, "--out", str(out), *options]) == 0
    config = RunConfig.from_json((out / "config.json").read_text())
    assert (config.dataset, config.model.output_stride, config.evaluation.flip) == ("scenes", 8, True)
    assert (config.training.learning_rate, config.training.scale) == (0.01, (0.5, 1.0))
    assert (config.data.scene_cue, config.data.seed, config.training.channels_last) == (False, 3, False)
    assert config.model.num_classes == 7  # without the cue there is one kind of disc


def test_folder_of_photos_is_trained_evaluated_and_predicted(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture
):
    out = tmp_path / "run"
    data = ["--data", f"folder:{photos}", "--ignore", "11"]
    assert main([*TINY, *data, "--out", str(out)]) == 0
    assert RunConfig.from_json((out / "config.json").read_text()).model.num_classes == 3
    assert main(["evaluate", str(out), "--workers", "0"]) == 0
    assert "mIOU" in capsys.readouterr().out
    assert main(["predict", str(out), str(photos / "images"), "--out", str(tmp_path / "predictions")]) == 0
    assert len(list((tmp_path / "predictions").rglob("*.png"))) == 3 * 6


def test_photos_and_masks_may_lie_anywhere(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    options = ["--data", "folder", "--ignore", "11"]
    for split in ("train", "val"):
        options += [f"--{split}-images", str(photos / "images"), f"--{split}-masks", str(photos / "masks")]
    assert main([*TINY, *options, "--out", str(tmp_path / "run")]) == 0


def test_resumed_run_keeps_its_own_configuration(finished: Path, capsys: pytest.CaptureFixture):
    assert main(["train", "--out", str(finished), "--resume", "--training.iterations", "3"]) == 0
    assert "changed since the run began: training.iterations: 2 → 3" in capsys.readouterr().out
    config = RunConfig.from_json((finished / "config.json").read_text())
    assert (config.training.iterations, config.training.crop_size) == (3, 33)
    assert checkpoint.load(finished / "checkpoint.pt")["iteration"] == 3


def test_resume_begins_where_there_is_nothing(tmp_path: Path):
    assert main([*TINY, "--out", str(tmp_path / "new"), "--resume"]) == 0
    assert (tmp_path / "new" / "model.safetensors").exists()


def test_overwrite_replaces_a_run(finished: Path):
    assert main([*TINY, "--out", str(finished), "--overwrite", "--training.seed", "7"]) == 0
    assert RunConfig.from_json((finished / "config.json").read_text()).training.seed == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "missing: --out PATH (The run's folder, which is made)"),
        (["train", "--out", "OUT", "--frobnicate"], "unrecognized options: --frobnicate"),
        (
            ["train", "--out", "OUT", "--preset", "huge"],
            "--preset: invalid choice 'huge', expected one of tiny, laptop, quarter, quarter-heads, gpu, paper",
        ),
        (
            ["train", "--out", "OUT", "--training.iterations", "many"],
            "--training.iterations INT: invalid literal",
        ),
        (["train", "--out", "OUT", "--training.iterations", "0"], "training.iterations=0: expected a whole"),
        (["train", "--out", "OUT", "--model.output-stride", "5"], "output_stride=5: expected one of"),
        (
            ["train", "--out", "OUT", "--model.num-classes", "5"],
            "model.num_classes=5: the data set 'scenes' has 8",
        ),
        (["train", "--out", "OUT", "--data", "frob"], "no data set 'frob'"),
        (["train", "--out", "OUT", "--data", "folder:/no/such"], "/no/such"),
        (["train", "--out", "OUT", "--data", "voc:/no/such"], "/no/such"),
        (["train", "--out", "OUT", "--training.device", "abacus"], "device='abacus'"),
        (
            ["train", "--out", "OUT", "--training.initial-weights", "/no/run"],
            "training.initial_weights='/no/run'",
        ),
        (["train", "--out", "OUT", "--resume", "--overwrite"], "give one of them"),
        (["train", "--out", "OUT", "--resume=3"], "--resume=3: this option takes no value"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture
):
    arguments = [str(tmp_path / "run") if a == "OUT" else a for a in arguments]
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert message in one_error_line(printed)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_existing_run_is_not_touched_unasked(finished: Path, capsys: pytest.CaptureFixture):
    before = (finished / "checkpoint.pt").read_bytes()
    assert main([*TINY, "--out", str(finished)]) == 2
    assert "--resume" in one_error_line(capsys.readouterr().err)
    assert (finished / "checkpoint.pt").read_bytes() == before


def test_checkpoint_of_another_architecture(finished: Path, capsys: pytest.CaptureFixture):
    assert main(["train", "--out", str(finished), "--resume", "--model.aspp-channels", "24"]) == 2
    assert "checkpoint.pt" in one_error_line(capsys.readouterr().err)


def test_truncated_checkpoint(finished: Path, capsys: pytest.CaptureFixture):
    path = finished / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:5000])
    assert main(["train", "--out", str(finished), "--resume"]) == 2
    assert "checkpoint.pt: is truncated" in one_error_line(capsys.readouterr().err)


def test_configuration_that_cannot_be_read(finished: Path, capsys: pytest.CaptureFixture):
    (finished / "config.json").write_text('{"training": {"iterations": 2}')
    assert main(["train", "--out", str(finished), "--resume"]) == 2
    assert "config.json: cannot be read as a run's configuration" in one_error_line(capsys.readouterr().err)


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.marker}",)


def test_malicious_checkpoint_is_not_run(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    torch.save(Malicious(tmp_path / "owned"), finished / "checkpoint.pt")
    assert main(["train", "--out", str(finished), "--resume"]) == 2
    assert "refused" in one_error_line(capsys.readouterr().err)
    assert not (tmp_path / "owned").exists()


def test_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    genuine = os.open

    def locked(path: str, flags: int, *options: int, **others: int) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and tmp_path in Path(path).parents:
            raise PermissionError(13, "Permission denied", str(path))
        return genuine(path, flags, *options, **others)

    monkeypatch.setattr(os, "open", locked)
    assert main([*TINY, "--out", str(tmp_path / "run")]) == 2
    assert "run: cannot be written to: Permission denied; give another --out" in one_error_line(
        capsys.readouterr().err
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_folder_without_write_permission(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert main([*TINY, "--out", str(tmp_path / "locked" / "run")]) == 2
    assert "cannot be written to: Permission denied" in one_error_line(capsys.readouterr().err)


def test_folder_under_a_file(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "file").write_text("")
    assert main([*TINY, "--out", str(tmp_path / "file" / "run")]) == 2
    assert "Not a directory" in one_error_line(capsys.readouterr().err)


def test_fine_tuning_takes_the_network_of_the_weights_and_the_classes_of_the_data(tmp_path: Path):
    first = preset("tiny").model
    other = replace(
        first, num_classes=3, aspp_channels=8, aspp_rates=(1, 2), first_unit="previous", output_stride=8
    )
    weights.save(DeepLabV3(other), tmp_path / "theirs.safetensors")
    out = tmp_path / "fine"
    initial = f"--training.initial-weights={tmp_path / 'theirs.safetensors'}"
    assert main([*TINY, "--out", str(out), initial, "--model.multi-grid", "1", "1", "2"]) == 0
    model = weights.load(out / "model.safetensors").config
    # The output stride is not a matter of the weights; an option that is given is kept.
    assert model == replace(other, num_classes=8, output_stride=16, multi_grid=(1, 1, 2))


def test_fine_tuning_finds_out_that_a_file_is_torchvisions(tmp_path: Path):
    names = skeleton(weights.torchvision_config_of("resnet50", num_classes=2)).state_dict()
    path = tmp_path / "theirs.pth"
    torch.save({name: torch.zeros(()).expand(t.shape) for name, t in names.items()}, path)
    model = defaults(["--training.initial-weights", str(path), "--preset", "tiny"]).model
    assert (model.backbone, model.first_unit, model.extra_conv) == ("resnet50", "previous", True)
    assert (model.multi_grid, model.aspp_rates, model.aspp_channels) == ((1, 1, 1), (6, 12, 18), 256)
    assert model.output_stride == preset("tiny").model.output_stride


def test_missing_initial_weights_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main([*TINY, "--out", str(tmp_path / "a"), "--training.initial-weights", "none.pth"]) == 2
    assert "training.initial_weights='none.pth': there is no none.pth" in one_error_line(
        capsys.readouterr().err
    )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["config.json", "checkpoint.pt"])
def test_a_run_behind_a_broken_link_is_not_begun_anew(finished, capsys, name):
    (finished / name).unlink()
    (finished / name).symlink_to("unmounted")
    assert main([*TINY, "--out", str(finished), "--resume"]) == 2
    assert f"{name}: not a file that can be read" in one_error_line(capsys.readouterr().err)
    assert (finished / name).is_symlink()
