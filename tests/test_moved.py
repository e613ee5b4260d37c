"""Old import paths work for one version, with one warning each."""

import importlib
import subprocess
import sys
import warnings

import pytest

import dlv3
from dlv3.moved import MOVED


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_old_name_is_the_module_and_warns_once(old: str, new: str):
    sys.modules.pop(old, None)
    module = importlib.import_module(new)
    spec = module.__spec__
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert importlib.import_module(old) is module
        assert importlib.import_module(old) is module
    assert [w.category for w in seen] == [DeprecationWarning]
    assert str(seen[0].message).startswith(f"{old} is now {new}; ")
    assert module.__spec__ is spec
    assert module.__name__ == new


@pytest.mark.parametrize(
    "statement",
    [
        "import dlv3.presets; dlv3.presets.preset",
        "from dlv3.presets import preset",
        "from dlv3 import presets; presets.preset",
        "import dlv3; dlv3.presets.preset",
        "import dlv3.data.scenes; dlv3.data.scenes.Scenes",
        "from dlv3.data import scenes; scenes.Scenes",
        "from dlv3.inference import InferenceModel",
    ],
)
def test_every_form_of_import_works(statement: str):
    for old in MOVED:
        sys.modules.pop(old, None)
        parent, _, name = old.rpartition(".")
        vars(sys.modules[parent]).pop(name, None) if parent in sys.modules else None
    with pytest.warns(DeprecationWarning, match="is now"):
        exec(statement, {})


def test_warning_points_to_the_line_that_imports(tmp_path):
    script = tmp_path / "old.py"
    script.write_text("\n\nfrom dlv3.presets import preset\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert f"{script}:3: DeprecationWarning: dlv3.presets is now dlv3.config.presets" in done.stderr


def test_nothing_of_the_package_uses_an_old_name():
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        for name in ("DeepLabV3", "ablations", "data", "evaluation", "training"):
            assert getattr(dlv3, name)


def test_unknown_modules_stay_unknown():
    with pytest.raises(ModuleNotFoundError, match=r"dlv3\.nothing"):
        importlib.import_module("dlv3.nothing")
