"""A stand-in for ImageNet: a small backbone learns to name the made pictures' objects, one in each picture.

The paper starts from ImageNet's weights (section 4). Without pretrained weights the score on scenes after a short
training is a third of the score with these. `dlv3 data pretrain` writes them into the working directory; the package
carries a copy in dlv3/assets/weights.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from dlv3.config.pretraining import BACKBONE_OF, Crops, PretrainConfig, Recipe
from dlv3.data.made.object_crops import OBJECTS, ObjectCrops
from dlv3.data.made.scene_crops import SHAPES, STRIPS, SceneCrops
from dlv3.data.transforms import IMAGENET_MEAN, IMAGENET_STD
from dlv3.fast import for_training
from dlv3.resnet import BACKBONES, CASCADE_START, ResNet
from dlv3.training.schedule import poly, warmup


class CropSet(Protocol):
    """A data set of (image, answer, ...): one whole-numbered answer to each question."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Any, ...]: ...


@dataclass(frozen=True)
class Lessons:
    """The pictures that a small backbone learns from, and each question about them with the number of its answers."""

    crops: Callable[..., CropSet]
    questions: dict[str, int]


LESSONS: dict[Crops, Lessons] = {
    "scenes": Lessons(SceneCrops, {"shape": len(SHAPES), "strip": len(STRIPS)}),
    "objects": Lessons(ObjectCrops, {"object": len(OBJECTS)}),
}


@dataclass(frozen=True)
class Pretrained:
    """A pretrained backbone and how well it names what it sees, from 0 to 1, on 2,000 other pictures."""

    backbone: ResNet
    accuracies: dict[str, float]
    """By question: "shape" and "strip" of the scenes, "object" of the large objects."""
    seconds: float


class CropClassifier(nn.Module):
    """A backbone with every stride in place, global average pooling, and a linear layer for each question.

    Args:
        backbone: a key of `BACKBONES`.
        questions: each with the number of its answers.
    """

    def __init__(self, backbone: str, questions: dict[str, int]) -> None:
        super().__init__()
        spec = BACKBONES[backbone]
        self.backbone = ResNet(spec, output_stride=spec.output_strides(CASCADE_START)[-1])
        channels = self.backbone.out_channels
        self.answers = nn.ModuleList(nn.Linear(channels, number) for number in questions.values())

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to each question's logits, (N, answers)."""
        pooled = self.backbone(images).mean(dim=(2, 3))  # (N, C)
        return [answer(pooled) for answer in self.answers]


def pretrain_backbone(config: PretrainConfig, *, progress: bool = True) -> Pretrained:
    """Pretrain a small backbone; no file is written.

    Args:
        config: the same one gives the same weights on the same machine.
        progress: whether to show a bar, where there is a terminal.
    """
    started = time.perf_counter()
    lessons, recipe = LESSONS[config.crops], config.recipe()
    images, *truths = _tensors(lessons.crops("train", pictures=recipe.pictures))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        model = for_training(CropClassifier(BACKBONE_OF[config.crops], lessons.questions))
        model = model.to(memory_format=torch.channels_last)
        optimizer = _optimizer(model, recipe, config.weight_decay)
        epochs = [torch.randperm(len(images)) for _ in range(recipe.epochs)]
        batches = [chosen for epoch in epochs for chosen in epoch.split(recipe.batch_size)]
        bar = tqdm(batches, desc="pretrain", disable=None if progress else True)
        for iteration, chosen in enumerate(bar):
            factor = poly(iteration, len(batches), 0.9) * warmup(iteration, 50)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * factor
            batch = _normalised(images[chosen])
            answers = model(batch.flip(3) if torch.rand(()) < 0.5 else batch)
            losses = [F.cross_entropy(a, truth[chosen]) for a, truth in zip(answers, truths, strict=True)]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
    accuracies = _accuracies(model.eval(), lessons)
    return Pretrained(model.backbone, accuracies, time.perf_counter() - started)


def _optimizer(model: nn.Module, recipe: Recipe, weight_decay: float) -> torch.optim.Optimizer:
    parameters, rate = model.parameters(), recipe.learning_rate
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=weight_decay)
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=weight_decay)


def _tensors(dataset: CropSet) -> tuple[Tensor, ...]:
    """Return all pictures, (n, 3, H, W), and the answers to each question, (n,)."""
    images, *answers = zip(*(dataset[i] for i in range(len(dataset))), strict=True)
    return torch.stack(images), *(torch.tensor(answer) for answer in answers)


def _normalised(images: Tensor) -> Tensor:
    """Normalise as the training on scenes does, with ImageNet's mean and standard deviation."""
    mean, std = (255 * torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _accuracies(model: CropClassifier, lessons: Lessons) -> dict[str, float]:
    images, *truths = _tensors(lessons.crops("val"))
    batches = [model(_normalised(batch)) for batch in images.split(500)]
    answers = [torch.cat([batch[i].argmax(dim=1) for batch in batches]) for i in range(len(truths))]
    right = [(a == truth).double().mean().item() for a, truth in zip(answers, truths, strict=True)]
    return dict(zip(lessons.questions, right, strict=True))
