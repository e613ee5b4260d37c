"""Named configurations, from seconds in a test to the paper's recipe."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from dlv3.config.data import DataConfig
from dlv3.config.evaluation import EvaluationConfig
from dlv3.config.run import RunConfig
from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3Config

PresetName = Literal["tiny", "laptop", "quarter", "quarter-heads", "gpu", "paper", "paper-stage2"]


# The small network for scenes of 129 pixels. ASPP's rates are the paper's, divided by the ratio of the maps' sides,
# 33 to 9.
_SCENES_MODEL = DeepLabV3Config(backbone="resnet14", num_classes=8, aspp_rates=(2, 4, 6), aspp_channels=64)


def _tiny() -> RunConfig:
    """Seconds: for tests. The trained model has learned nothing."""
    return RunConfig(
        model=replace(_SCENES_MODEL, aspp_channels=16),
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
        model=_SCENES_MODEL,
        training=TrainingConfig(
            iterations=700,
            crop_size=129,
            learning_rate=0.15,
            warmup=20,
            batch_norm_decay=0.9,
            # The shapes have all sizes already. Without any scaling, several scales at evaluation would hurt.
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
    """The same on heads, where the reach of a network's units almost alone decides the score."""
    return replace(_quarter(), dataset="heads").with_classes(5)


def _gpu() -> RunConfig:
    """Minutes on one GPU: scenes of the paper's crop size, so that the map is 33×33 and the rates are the paper's."""
    return RunConfig(
        model=replace(_SCENES_MODEL, aspp_rates=(6, 12, 18), aspp_channels=256),
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
    """The first stage, which gives the scores on val in the paper's tables (§4.1; Table 5, last row)."""
    return RunConfig(
        dataset="voc:data/voc",
        # torchvision's ImageNet weights have their strides in the 3×3 convolutions, which needs "previous".
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
    """Return the configuration with a name.

    Args:
        name: tiny (seconds, tests), laptop (two minutes on two cores), quarter (the paper's maps and rates on small
            pictures), quarter-heads, gpu (minutes on one GPU), paper (the published recipe's first stage) or
            paper-stage2.

    Raises:
        ValueError: no preset has this name.
    """
    if name not in PRESETS:
        raise ValueError(f"preset={name!r}: expected one of {', '.join(PRESETS)}")
    return PRESETS[name]()
