"""A trained run, an untrained one and a folder of photos, for the tests of the commands."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from command_lines import TINY, save_run
from photo_folder import make_photos

from dlv3.cli import main
from dlv3.config.presets import preset


@pytest.fixture(scope="session")
def run_to_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, trained once; no test changes it."""
    out = tmp_path_factory.mktemp("finished") / "run"
    assert main([*TINY, "--out", str(out)]) == 0
    return out


@pytest.fixture
def finished(run_to_copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A finished run of the test's own."""
    out = tmp_path / "run"
    shutil.copytree(run_to_copy, out)
    capsys.readouterr()
    return out


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder data set of six photos with the labels 0 to 2, and 11 where there is none."""
    return make_photos(tmp_path / "photos")


@pytest.fixture(scope="session")
def untrained_to_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder without a training; no test changes it."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    tiny = preset("tiny")
    save_run(folder, replace(tiny, data=replace(tiny.data, pictures=3)))
    return folder


@pytest.fixture
def run(untrained_to_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder "run" in a working directory of the test's own, with a model that was not trained."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(untrained_to_copy, "run")
    return Path("run")
