"""A stand-in for ImageNet: a small backbone learns to name the made pictures' objects, one to a picture.

The paper starts from ImageNet's weights (section 4). Without any, a scene's score after a short training is a third
of what it is with these. `dlv3 data pretrain` makes data/weights/resnet14_scenes.safetensors anew, and with
`--crops objects` data/weights/resnet17_objects.safetensors.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset
from tqdm import tqdm

from dlv3.data.made.object_crops import OBJECTS, ObjectCrops
from dlv3.data.scene_crops import SHAPES, STRIPS, SceneCrops
from dlv3.data.transforms import IMAGENET_MEAN, IMAGENET_STD
from dlv3.resnet import BACKBONES, CASCADE_START, ResNet
from dlv3.training.schedule import poly, warmup
from dlv3.training.start import OBJECTS_WEIGHTS, SCENES_WEIGHTS
from dlv3.weights import save_tensors


@dataclass(frozen=True)
class Recipe:
    """How long and how fast to learn; `PretrainConfig` says what each means."""

    epochs: int
    pictures: int
    batch_size: int
    optimizer: Literal["sgd", "adamw"]
    learning_rate: float


@dataclass(frozen=True)
class Lessons:
    """What one of the small backbones learns from.

    Attributes:
        backbone: a key of `BACKBONES`.
        crops: a data set of (image, answer, ...): a whole-numbered answer to each question.
        questions: each with the number of its answers.
        weights: where the project keeps what comes out.
        recipe: what those weights were made with.
    """

    backbone: str
    crops: Callable[..., Dataset[tuple[Any, ...]]]
    questions: dict[str, int]
    weights: Path
    recipe: Recipe


LESSONS = {
    "scenes": Lessons(
        "resnet14",
        SceneCrops,
        {"shape": len(SHAPES), "strip": len(STRIPS)},
        SCENES_WEIGHTS,
        Recipe(epochs=8, pictures=12_000, batch_size=64, optimizer="sgd", learning_rate=0.1),
    ),
    "objects": Lessons(
        "resnet17",
        ObjectCrops,
        {"object": len(OBJECTS)},
        OBJECTS_WEIGHTS,
        Recipe(epochs=4, pictures=6_400, batch_size=32, optimizer="adamw", learning_rate=0.005),
    ),
}


@dataclass(frozen=True)
class PretrainConfig:
    """Pretrain a small backbone on one-object pictures, and write its weights. Up to three minutes on one core.

    Options that are left out have the values that the project's own weights were made with.
    """

    crops: Literal["scenes", "objects"] = "scenes"
    """scenes: resnet14, on the scenes' objects. objects: resnet17, on those of outline and heads."""
    out: Path | None = None
    """The file to write; the project's own weights when left out."""
    epochs: int | None = None
    """Passes over the pictures: 8 with scenes, 4 with objects."""
    pictures: int | None = None
    """Training pictures: 12,000 with scenes, 6,400 with objects."""
    batch_size: int | None = None
    """Pictures an update: 64 with scenes, 32 with objects."""
    optimizer: Literal["sgd", "adamw"] | None = None
    """sgd (momentum 0.9) with scenes, adamw with objects."""
    learning_rate: float | None = None
    """At the start, with poly 0.9 after 50 iterations of warm-up: 0.1 with scenes, 0.005 with objects."""
    weight_decay: float = 1e-4
    """On every parameter."""
    seed: int = 0
    """Of the weights and the pictures' order. The pictures themselves are always the same."""

    def recipe(self) -> Recipe:
        """What is given here, and the rest as the project's own weights were made."""
        given = {field.name: getattr(self, field.name) for field in fields(Recipe)}
        recipe = LESSONS[self.crops].recipe
        return replace(recipe, **{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True)
class Pretrained:
    """A pretrained backbone and how well it names what it sees, from 0 to 1, on 2,000 other pictures."""

    backbone: ResNet
    accuracies: dict[str, float]
    """By question."""
    seconds: float

    @property
    def shape_accuracy(self) -> float:
        return self.accuracies["shape"]

    @property
    def strip_accuracy(self) -> float:
        return self.accuracies["strip"]


class CropClassifier(nn.Module):
    """The backbone with every stride in place, global average pooling, and a linear layer for each question."""

    def __init__(self, lessons: Lessons) -> None:
        super().__init__()
        spec = BACKBONES[lessons.backbone]
        self.backbone = ResNet(spec, output_stride=spec.output_strides(CASCADE_START)[-1])
        channels = self.backbone.out_channels
        self.answers = nn.ModuleList(nn.Linear(channels, number) for number in lessons.questions.values())

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to each question's logits, (N, answers)."""
        pooled = self.backbone(images).mean(dim=(2, 3))  # (N, C)
        return [answer(pooled) for answer in self.answers]


def pretrain_backbone(config: PretrainConfig, *, progress: bool = True) -> Pretrained:
    """Pretrain; nothing is written.

    Args:
        config: the same one gives the same weights on the same machine.
        progress: whether to show a bar, where there is a terminal.
    """
    started = time.perf_counter()
    lessons, recipe = LESSONS[config.crops], config.recipe()
    images, *truths = _tensors(lessons.crops("train", pictures=recipe.pictures))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        model = CropClassifier(lessons).to(memory_format=torch.channels_last)
        optimizer = _optimizer(model, recipe, config.weight_decay)
        batches = [
            b for _ in range(recipe.epochs) for b in torch.randperm(len(images)).split(recipe.batch_size)
        ]
        for iteration, chosen in enumerate(
            tqdm(batches, desc="pretrain", disable=None if progress else True)
        ):
            factor = poly(iteration, len(batches), 0.9) * warmup(iteration, 50)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * factor
            batch = _normalised(images[chosen])
            answers = model(batch.flip(3) if torch.rand(()) < 0.5 else batch)
            losses = [F.cross_entropy(a, truth[chosen]) for a, truth in zip(answers, truths, strict=True)]
            loss = torch.stack(losses).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    accuracies = _accuracies(model.eval(), lessons)
    return Pretrained(model.backbone, accuracies, time.perf_counter() - started)


def _optimizer(model: nn.Module, recipe: Recipe, weight_decay: float) -> torch.optim.Optimizer:
    options: dict[str, Any] = dict(lr=recipe.learning_rate, weight_decay=weight_decay)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), **options)
    return torch.optim.SGD(model.parameters(), momentum=0.9, **options)


def pretrain_command(config: PretrainConfig) -> int:
    """`dlv3 data pretrain`: pretrain, write the weights and say how good they are. Returns the exit status, 0.

    Raises:
        OSError: the file cannot be written.
    """
    found = pretrain_backbone(config)
    state = {name: t.contiguous().clone() for name, t in found.backbone.state_dict().items()}
    crops = "" if config.crops == "scenes" else f" --crops {config.crops}"
    about = {
        "made by": f"dlv3 data pretrain{crops} --seed {config.seed}",
        **{f"{question} accuracy": f"{share:.4f}" for question, share in found.accuracies.items()},
        "torch": torch.__version__,
    }
    out = config.out or LESSONS[config.crops].weights
    out.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(state, out, about)
    shares = ", ".join(f"{question} {100 * share:.1f}%" for question, share in found.accuracies.items())
    print(f"{shares} right on new pictures, {found.seconds:.0f} s; written to {out}")
    return 0


def _tensors(dataset: Dataset[tuple[Any, ...]]) -> tuple[Tensor, ...]:
    """All pictures, (n, 3, H, W), and the answers to each question, (n,)."""
    images, *answers = zip(*(dataset[i] for i in range(len(dataset))), strict=True)  # type: ignore[arg-type]
    return torch.stack(images), *(torch.tensor(answer) for answer in answers)


def _normalised(images: Tensor) -> Tensor:
    """As the training on scenes does it, with ImageNet's mean and standard deviation."""
    mean, std = (255 * torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _accuracies(model: CropClassifier, lessons: Lessons) -> dict[str, float]:
    images, *truths = _tensors(lessons.crops("val"))
    batches = [model(_normalised(batch)) for batch in images.split(500)]
    answers = [torch.cat([batch[i].argmax(dim=1) for batch in batches]) for i in range(len(truths))]
    right = [(a == truth).double().mean().item() for a, truth in zip(answers, truths, strict=True)]
    return dict(zip(lessons.questions, right, strict=True))
