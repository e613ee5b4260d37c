"""Small files that come with the package: pretrained weights, recorded results, and the lessons.

In an installed package they lie beside this file. In the source tree the weights do as well; the records and the
lessons are read from `data/results` and `notebooks`, which the wheel copies in.
"""

from importlib.resources import files
from pathlib import Path

_HERE = Path(str(files(__name__)))
_SOURCE = _HERE.parents[1]
"""The root of the source tree, where the package is used from one."""


def weights(name: str) -> Path:
    """Return the file of weights that come with the package.

    Args:
        name: "scenes_laptop", the lessons' trained model, or "resnet14_scenes", the small backbone's pretrained
            weights.

    Raises:
        FileNotFoundError: there are no such weights.
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
    """Return the folder of the lessons' notebooks.

    Raises:
        FileNotFoundError: the package was built without them.
    """
    return _folder("notebooks", _SOURCE / "notebooks")


def _folder(name: str, in_source: Path) -> Path:
    for folder in (_HERE / name, in_source):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"{_HERE / name}: not in this package; install dlv3 from a wheel or from its source tree"
    )
