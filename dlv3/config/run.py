"""Everything that a training depends on, as one value that goes to JSON and back."""

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, get_args, get_origin, get_type_hints

from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3Config


@dataclass(frozen=True)
class RunConfig:
    """One training: the data set by its name, and four groups of options."""

    dataset: str = "scenes"
    """What to open: scenes, markers:KIND, folder:DIR or voc:DIR."""
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
    def from_json(cls, text: str) -> "RunConfig":
        """Read the configuration that `to_json` wrote.

        Raises:
            ValueError: text that is not JSON, a field that does not exist, or a value that the field cannot have.
        """
        config: RunConfig = _build(cls, json.loads(text), "configuration")
        return config


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return what was changed, one line a field, such as "training.iterations: 100 → 200"."""
    before, after = _flat(asdict(old)), _flat(asdict(new))
    return [f"{name}: {before[name]} → {after[name]}" for name in after if before[name] != after[name]]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested dictionaries as one, its keys joined by points."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _build(cls: type, values: object, name: str) -> Any:
    """Make a dataclass from JSON's values; JSON's lists become tuples."""
    if not isinstance(values, dict):
        raise ValueError(f"{name}: expected a JSON object, got {type(values).__name__}")
    hints = get_type_hints(cls)
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            raise ValueError(f"{name}: {key!r} is not a field of it; expected one of {', '.join(known)}")
    return cls(**{key: _value(hints[key], value, f"{name}.{key}") for key, value in values.items()})


def _value(hint: Any, value: object, name: str) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return _build(hint, value, name)
    # The hint is `tuple[...]` itself, or has it inside, `tuple[...] | None`.
    for option in (hint, *get_args(hint)):
        if get_origin(option) is tuple and isinstance(value, list):
            return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    return value
