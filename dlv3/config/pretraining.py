"""Options of a small backbone's pretraining on the made pictures' objects: one frozen dataclass, and its recipes."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from dlv3.ranges import LearningRate, Pictures, Seed, Share, Whole, check_fields

Crops = Literal["scenes", "objects"]
Optimizer = Literal["sgd", "adamw"]


@dataclass(frozen=True)
class Recipe:
    """The length and the speed of a pretraining; `PretrainConfig` explains each field."""

    epochs: int
    pictures: int
    batch_size: int
    optimizer: Optimizer
    learning_rate: float


RECIPES: dict[Crops, Recipe] = {
    "scenes": Recipe(epochs=8, pictures=12_000, batch_size=64, optimizer="sgd", learning_rate=0.1),
    "objects": Recipe(epochs=4, pictures=6_400, batch_size=32, optimizer="adamw", learning_rate=0.005),
}
"""How the weights that come with the package were made."""
BACKBONE_OF: dict[Crops, str] = {"scenes": "resnet14", "objects": "resnet17"}


@dataclass(frozen=True)
class PretrainConfig:
    """Pretrain a small backbone on one-object pictures, and write its weights. One to three minutes on one core.

    Options that are left out have the values with which the package's own weights were made.
    """

    crops: Crops = "scenes"
    """scenes: resnet14, on the scenes' objects. objects: resnet17, on the objects of outline and heads."""
    out: Path | None = None
    """The file to write; resnet14_scenes.safetensors or resnet17_objects.safetensors here when left out."""
    epochs: Annotated[int, Whole(1, 1000)] | None = None
    """Passes over the pictures: 8 with scenes, 4 with objects."""
    pictures: Pictures | None = None
    """Training pictures: 12,000 with scenes, 6,400 with objects."""
    batch_size: Annotated[int, Whole(2, 65_536)] | None = None
    """Pictures an update: 64 with scenes, 32 with objects."""
    optimizer: Optimizer | None = None
    """sgd (momentum 0.9) with scenes, adamw with objects."""
    learning_rate: LearningRate | None = None
    """Learning rate at the start, with poly 0.9 after 50 iterations of warm-up: 0.1 with scenes, 0.005 with objects."""
    weight_decay: Share = 1e-4
    """Weight decay, on every parameter."""
    seed: Seed = 0
    """Seed of the weights and the pictures' order. The pictures themselves are always the same."""

    def __post_init__(self) -> None:
        check_fields(self)

    def recipe(self) -> Recipe:
        """Return what is given here, and the rest as the package's own weights were made."""
        given = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        return replace(RECIPES[self.crops], **{name: v for name, v in given.items() if v is not None})

    def file(self) -> Path:
        """Return the file to write."""
        return self.out or Path(f"{BACKBONE_OF[self.crops]}_{self.crops}.safetensors")
