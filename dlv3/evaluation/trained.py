"""A trained model from disk: a run's folder, or weights alone."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlv3 import weights
from dlv3.data.named_classes import NamedClasses
from dlv3.deeplab import DeepLabV3
from dlv3.files import is_there
from dlv3.state_dicts import read_metadata, require_finite

if TYPE_CHECKING:
    from dlv3.config.run import RunConfig

# These data sets need no files, so the colours can be read from them.
_MADE_IN_CODE = ("scenes", "outline", "heads", "markers")


@dataclass(frozen=True)
class TrainedModel:
    """A model in evaluation mode on the CPU, and the configuration of the run it comes from, if there is one."""

    model: DeepLabV3
    config: "RunConfig | None"
    weights: Path
    classes: NamedClasses | None = None
    """Those of the data set that it was trained on; None where the file of weights does not tell."""

    def palette(self) -> NDArray[np.uint8]:
        """Return the colours of the data set that the model was trained on, or VOC's where they are not known.

        Returns:
            (num_classes, 3).
        """
        from dlv3.data import open_dataset
        from dlv3.data.palette import voc_palette

        if self.classes is not None:
            return self.classes.palette
        classes = self.model.config.num_classes
        if self.config is not None and self.config.dataset.partition(":")[0] in _MADE_IN_CODE:
            palette: NDArray[np.uint8] = open_dataset(self.config.dataset, "val", self.config.data).palette
            if len(palette) == classes:
                return palette
        return voc_palette(classes)


def load_trained(path: str | os.PathLike[str]) -> TrainedModel:
    """Load a finished run, or weights.

    Args:
        path: a run's folder (model.safetensors and config.json), or a .safetensors file that `dlv3.weights.save` wrote;
            a config.json beside that is read too.

    Raises:
        FileNotFoundError: the run does not exist, or it has no weights yet.
        ValueError: the weights or the configuration cannot be used; says which file.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such run or weights; give a run's folder or a .safetensors file")
    file = path / "model.safetensors" if path.is_dir() else path
    if path.is_dir() and not file.is_file():
        unfinished = (path / "checkpoint.pt").is_file()
        todo = (
            "its training has not finished; resume it with dlv3 train --resume"
            if unfinished
            else "it is not a run's folder; give one, or a .safetensors file"
        )
        raise FileNotFoundError(f"{path}: no model.safetensors in this folder; {todo}")
    model = weights.load(file)
    require_finite(model.state_dict(), str(file))
    return TrainedModel(model, _configuration(file.with_name("config.json")), file, _classes(model, file))


def _classes(model: DeepLabV3, file: Path) -> NamedClasses | None:
    try:
        return NamedClasses.from_metadata(read_metadata(file), model.config.num_classes)
    except ValueError as error:
        raise ValueError(
            f"{file}: the classes named in it cannot be used ({error}); give the file as it was written"
        ) from error


def _configuration(file: Path) -> "RunConfig | None":
    from dlv3.config.run import RunConfig

    return RunConfig.read(file) if is_there(file) else None
