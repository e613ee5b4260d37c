"""Everything that a training depends on, as one value that goes to JSON and back."""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3Config
from dlv3.typed_json import build, parse_object


@dataclass(frozen=True)
class RunConfig:
    """One training: the data set by its name, and four groups of options."""

    dataset: str = "scenes"
    """The data set: scenes, outline, heads, markers:KIND, cells:KIND, ground, folder:DIR or voc:DIR."""
    model: DeepLabV3Config = field(default_factory=DeepLabV3Config)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        if self.training.downsample_labels and self.model.aux:
            raise ValueError(
                "training.downsample_labels=True with model.aux=True: the auxiliary classifier's logits are upsampled; "
                "set one of the two to False"
            )

    def with_classes(self, num_classes: int) -> "RunConfig":
        """Return the same configuration with another number of classes: the data set's."""
        return replace(self, model=replace(self.model, num_classes=num_classes))

    def to_json(self) -> str:
        """Return the configuration as JSON, from which `from_json` makes an equal one."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> "RunConfig":
        """Read the configuration that `to_json` wrote.

        Raises:
            ValueError: text that is not JSON, a group that is missing, a field that does not exist, or a value that the
                field cannot have. A field that is missing in its group has its default.
        """
        groups = [group.name for group in fields(cls)]
        return build(cls, parse_object(text), "configuration", required=groups)

    @classmethod
    def read(cls, path: Path) -> "RunConfig":
        """Read a run's config.json.

        Raises:
            ValueError: as in `from_json`; the message names the file.
            OSError: it cannot be read.
        """
        try:
            return cls.from_json(path.read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: cannot be read as a run's configuration: {error}") from error


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return what was changed, one line a field, such as "training.iterations: 100 → 200"."""
    before, after = _flat(asdict(old)), _flat(asdict(new))
    return [f"{name}: {before[name]} → {after[name]}" for name in after if before[name] != after[name]]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten nested dictionaries into one, with their keys joined by dots."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat
