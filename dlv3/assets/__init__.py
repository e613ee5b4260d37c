"""Files that come with the package: pretrained weights, recorded results and the lessons.

In an installed package they lie beside this file: the wheel copies the lessons and the records in. In the source tree
only the weights do; the lessons and the records are read from `notebooks` and `data/results`. All of them are for
reading: nothing in dlv3 writes here.

The functions return paths, because JupyterLab and safetensors open files by path. So dlv3 has to be installed as a
folder, as pip does it; it does not run from a zip archive.
"""

from importlib.resources import files
from pathlib import Path

_HERE = Path(str(files(__name__)))
_SOURCE = _HERE.parents[1]
"""The root of the source tree, if the package is used from one."""


def weights(name: str) -> Path:
    """Return the file of weights that come with the package.

    Args:
        name: "scenes_laptop", the lessons' trained model, or "resnet14_scenes", the small backbone's pretrained
            weights.

    Raises:
        FileNotFoundError: the weights do not exist.
    """
    file = _HERE / "weights" / f"{name}.safetensors"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in file.parent.glob("*.safetensors")))
        raise FileNotFoundError(f"{file}: no such weights in the package; expected one of {known}")
    return file


def records() -> Path:
    """Return the folder of the recorded results: one JSON file a run.

    Raises:
        FileNotFoundError: the package was built without them.
    """
    return _folder("results", _SOURCE / "data" / "results")


def lessons() -> Path:
    """Return the folder of the lessons' notebooks. `dlv3 lab` opens a copy of them (dlv3.assets.working_copy).

    Raises:
        FileNotFoundError: the package was built without them.
    """
    return _folder("notebooks", _SOURCE / "notebooks")


def jupyter_settings() -> Path:
    """Return a folder of Jupyter configuration, for JUPYTER_CONFIG_PATH: JupyterLab asks for no news and no updates.

    These are defaults of settings. What a person has set for themselves in JupyterLab comes first.
    """
    return _HERE / "jupyter"


def _folder(name: str, in_source: Path) -> Path:
    for folder in (_HERE / name, in_source):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"{_HERE / name}: not in this package; install dlv3 from a wheel or from its source tree"
    )
