"""A run's folder: what is made, kept, replaced and refused."""

from pathlib import Path

import pytest
from training_runs import metrics, run_to_the_end, short_run

from dlv3.config.run import RunConfig
from dlv3.training import train
from dlv3.training.folder import RunFolder


def test_folder_holds_all_that_a_run_is(finished: Path, finished_config: RunConfig):
    names = {file.name for file in finished.iterdir()}
    assert names == {
        "config.json",
        "metrics.jsonl",
        "checkpoint.pt",
        "model.safetensors",
        "predictions",
        "tensorboard",
    }
    assert RunConfig.from_json((finished / "config.json").read_text()) == finished_config
    assert RunFolder(finished).in_use


def test_run_is_not_overwritten_unasked(finished: Path):
    before = (finished / "model.safetensors").read_bytes()
    with pytest.raises(
        ValueError, match="holds a run already; resume it with --resume, replace it with --overwrite"
    ):
        run_to_the_end(short_run(), finished)
    assert (finished / "model.safetensors").read_bytes() == before


def test_overwriting_deletes_the_run_and_nothing_else(tmp_path: Path):
    for name in ("config.json", "checkpoint.pt", "metrics.jsonl", "notes.txt"):
        (tmp_path / name).write_text("old")
    for name in ("predictions", "tensorboard"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
    train(short_run(iterations=1), tmp_path, overwrite=True, progress=False)
    assert (tmp_path / "notes.txt").read_text() == "old"
    assert [m["iteration"] for m in metrics(tmp_path)] == [1]
    assert not list(tmp_path.rglob("old"))


def test_resume_and_overwrite_together_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="--resume and --overwrite: give one of them, not both"):
        RunFolder(tmp_path / "run").create(resume=True, overwrite=True)
    assert not (tmp_path / "run").exists()


def test_resuming_keeps_what_is_there(tmp_path: Path):
    (tmp_path / "config.json").write_text("old")
    RunFolder(tmp_path).create(resume=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.json", "old")]


def test_folder_under_a_file_is_an_error_that_names_it(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/run: cannot be written to: Not a directory; give another --out"):
        RunFolder(tmp_path / "file" / "run").create()
