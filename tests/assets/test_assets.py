"""The files that come with the package are found."""

import json

import pytest

from dlv3 import assets
from dlv3.ablations.results import read


@pytest.mark.parametrize("name", ["scenes_laptop", "resnet14_scenes"])
def test_weights_are_there(name: str):
    assert assets.weights(name).stat().st_size > 1_000_000


def test_unknown_weights_are_refused_with_the_names_there_are():
    known = "resnet14_scenes, resnet17_objects, scenes_laptop"
    with pytest.raises(FileNotFoundError, match=rf"other.*expected one of {known}"):
        assets.weights("other")


def test_records_are_there():
    assert {record.preset for record in read(assets.records())} >= {"laptop", "quarter"}


def test_lessons_are_there():
    names = {path.name for path in assets.lessons().glob("*.ipynb")}
    assert {"00_start_here.ipynb", "14_conclusions.ipynb", "glossary.ipynb"} <= names


def test_jupyters_settings_ask_for_no_news():
    file = assets.jupyter_settings() / "labconfig" / "default_setting_overrides.json"
    settings = json.loads(file.read_text())["@jupyterlab/apputils-extension:notification"]
    assert settings == {"fetchNews": "false", "checkForUpdates": False}


def test_package_without_its_lessons_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setattr(assets, "_HERE", tmp_path)
    monkeypatch.setattr(assets, "_SOURCE", tmp_path)
    with pytest.raises(FileNotFoundError, match="install dlv3 from a wheel or from its source tree"):
        assets.lessons()
