"""Whole configurations with a name: from seconds in a test to the paper's own recipe.

A `RunConfig` is everything that a training depends on. It goes to JSON and back, which is what a run's folder keeps.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dlv3.data.config import DataConfig
from dlv3.deeplab import DeepLabV3Config
from dlv3.evaluation.config import EvaluationConfig
from dlv3.training.config import TrainingConfig

PresetName = Literal["tiny", "laptop", "quarter", "quarter-heads", "gpu", "paper", "paper-stage2"]


@dataclass(frozen=True)
class RunConfig:
    """One training: the data set by its name, and four groups of options."""

    dataset: str = "scenes"
    """What to open: scenes, outline, heads, markers:KIND, folder:DIR or voc:DIR."""
    model: DeepLabV3Config = field(default_factory=DeepLabV3Config)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        if self.training.downsample_labels and self.model.aux:
            raise ValueError(
                "training.downsample_labels with model.aux: the auxiliary classifier's logits are upsampled; leave "
                "one of the two out"
            )

    def with_classes(self, num_classes: int) -> "RunConfig":
        """The same with another number of classes: a data set's own."""
        return replace(self, model=replace(self.model, num_classes=num_classes))

    def to_json(self) -> str:
        """As JSON, which `from_json` reads back to an equal configuration."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "RunConfig":
        """The configuration that `to_json` wrote.

        Raises:
            ValueError: no JSON, a field that does not exist, or a bad value.
        """
        return _build(cls, json.loads(text), "configuration")


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """What a person changed, one line a field, such as "training.iterations: 100 → 200"."""
    before, after = _flat(asdict(old)), _flat(asdict(new))
    return [f"{name}: {before[name]} → {after[name]}" for name in after if before[name] != after[name]]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _build(cls: type, values: object, name: str) -> Any:
    """A dataclass from JSON's values; JSON's lists become tuples."""
    if not isinstance(values, dict):
        raise ValueError(f"{name}: expected a JSON object, got {type(values).__name__}")
    hints = get_type_hints(cls)
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            raise ValueError(f"{name}: {key!r} is no field of it; its fields are {', '.join(known)}")
    return cls(**{key: _value(hints[key], value, f"{name}.{key}") for key, value in values.items()})


def _value(hint: Any, value: object, name: str) -> Any:
    if is_dataclass(hint):
        return _build(hint, value, name)
    for option in (hint, *get_args(hint)):  # tuple[...] itself, or inside of `tuple[...] | None`
        if get_origin(option) is tuple and isinstance(value, list):
            return tuple(tuple(item) if isinstance(item, list) else item for item in value)
    return value


def _scenes_model(**options: Any) -> DeepLabV3Config:
    """The small network for scenes of 129 pixels: ASPP's rates are the paper's, divided by the ratio of the maps'
    sides, 33 to 9."""
    options = dict(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=64) | options
    return DeepLabV3Config(**options)


def _tiny() -> RunConfig:
    """Seconds: for tests. What it trains has learnt nothing."""
    return RunConfig(
        model=_scenes_model(aspp_channels=16),
        data=DataConfig(size=129, pictures=8),
        training=TrainingConfig(
            iterations=6,
            batch_size=4,
            crop_size=65,
            learning_rate=0.05,
            batch_norm_decay=0.9,
            precision="float32",
            workers=0,
            log_interval=2,
            checkpoint_interval=2,
            validation_interval=3,
        ),
    )


def _laptop() -> RunConfig:
    """Under two minutes on two cores, offline: the lessons' preset."""
    return RunConfig(
        model=_scenes_model(),
        training=TrainingConfig(
            iterations=700,
            crop_size=129,
            learning_rate=0.15,
            warmup=20,
            batch_norm_decay=0.9,
            # Shapes come in all sizes as they are; without any scaling, several scales at evaluation would hurt.
            scale=(0.7, 1.4),
            pretrained="scenes",
            workers=1,
            checkpoint_interval=100,
            validation_interval=350,
        ),
    )


def _quarter() -> RunConfig:
    """One to two minutes on one core, offline: the paper's world with every pixel divided by four. On pictures of 129
    pixels output stride 4 gives the paper's map of 33×33, and all rates are its own."""
    return RunConfig(
        dataset="outline",
        model=DeepLabV3Config(
            backbone="resnet17", num_classes=11, output_stride=4, aspp_channels=32, dropout=0.0
        ),
        training=TrainingConfig(
            iterations=500,
            crop_size=129,
            optimizer="adamw",
            learning_rate=0.005,
            front_learning_rate=0.05,
            warmup=20,
            batch_norm_decay=0.9,
            scale=(1.0, 1.0),
            pretrained="objects",
            workers=0,
            checkpoint_interval=250,
            validation_interval=0,
        ),
        evaluation=EvaluationConfig(batch_size=10),
    )


def _quarter_heads() -> RunConfig:
    """The same where what a network's units reach decides nearly alone."""
    return replace(_quarter(), dataset="heads").with_classes(5)


def _gpu() -> RunConfig:
    """Minutes on one GPU: scenes of the paper's crop, so that the map is its 33×33 and the rates are its own."""
    return RunConfig(
        model=_scenes_model(aspp_rates=(6, 12, 18), aspp_channels=256),
        data=DataConfig(size=513, pictures=10_000),
        training=TrainingConfig(
            iterations=10_000,
            learning_rate=0.15,
            warmup=100,
            batch_norm_decay=0.99,
            pretrained="scenes",
            workers=14,
        ),
    )


def _paper() -> RunConfig:
    """The first stage, whose scores on val are the paper's tables (§4.1; Table 5, last row)."""
    return RunConfig(
        dataset="voc:data/voc",
        # torchvision's ImageNet weights have their strides in the 3×3 convolutions, which asks for "previous".
        model=DeepLabV3Config(backbone="resnet101", first_unit="previous"),
        training=TrainingConfig(pretrained="imagenet", workers=8),
    )


def _paper_stage2() -> RunConfig:
    """The second stage: batch normalization frozen, output stride 8, VOC's trainval, from the first stage (§4.1)."""
    paper = _paper()
    return replace(
        paper,
        model=replace(paper.model, output_stride=8),
        data=replace(paper.data, voc_train="trainval"),
        training=replace(
            paper.training,
            learning_rate=0.001,
            freeze_batch_norm=True,
            pretrained=None,
            initial_weights="runs/paper",
        ),
    )


PRESETS: dict[str, Callable[[], RunConfig]] = {
    "tiny": _tiny,
    "laptop": _laptop,
    "quarter": _quarter,
    "quarter-heads": _quarter_heads,
    "gpu": _gpu,
    "paper": _paper,
    "paper-stage2": _paper_stage2,
}


def preset(name: str) -> RunConfig:
    """A named configuration.

    Args:
        name: tiny (seconds, tests), laptop (two minutes on two cores), quarter (the paper's rates and maps on small
            pictures, one to two minutes on one core), quarter-heads (the same where reach decides), gpu (minutes on
            one GPU), paper (the published recipe's first stage) or paper-stage2.

    Raises:
        ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset={name!r}: expected one of {', '.join(PRESETS)}")
    return PRESETS[name]()
