"""A stand-in for ImageNet: the small backbone learns to name the scenes' objects, one in each picture.

The paper starts from ImageNet's weights (section 4). Without pretrained weights the score on scenes after a short
training is a third of the score with these. `dlv3 data pretrain` writes them into the working directory; the package
carries a copy in dlv3/assets/weights.
"""

import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from dlv3.config.pretraining import PretrainConfig
from dlv3.data.made.scene_crops import SHAPES, STRIPS, SceneCrops
from dlv3.data.transforms import IMAGENET_MEAN, IMAGENET_STD
from dlv3.fast import for_training
from dlv3.resnet import BACKBONES, ResNet
from dlv3.training.schedule import poly, warmup


@dataclass(frozen=True)
class Pretrained:
    """A pretrained backbone and how well it names what it sees, from 0 to 1, on 2,000 other pictures."""

    backbone: ResNet
    shape_accuracy: float
    strip_accuracy: float
    seconds: float


class CropClassifier(nn.Module):
    """The backbone with every stride in place, global average pooling, and a linear layer for each question."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet(BACKBONES["resnet14"], output_stride=32)
        self.shape = nn.Linear(self.backbone.out_channels, len(SHAPES))
        self.strip = nn.Linear(self.backbone.out_channels, len(STRIPS))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, H, W) to logits (N, 6) of the shape and (N, 3) of the strip."""
        pooled = self.backbone(images).mean(dim=(2, 3))  # (N, 64)
        return self.shape(pooled), self.strip(pooled)


def pretrain_backbone(config: PretrainConfig, *, progress: bool = True) -> Pretrained:
    """Pretrain the small backbone; no file is written.

    Args:
        config: the same one gives the same weights on the same machine.
        progress: whether to show a bar, where there is a terminal.
    """
    started = time.perf_counter()
    images, shapes, strips = _tensors(SceneCrops("train", pictures=config.pictures))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)
        model = for_training(CropClassifier()).to(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(
            model.parameters(), lr=config.learning_rate, momentum=0.9, weight_decay=config.weight_decay
        )
        epochs = [torch.randperm(len(images)) for _ in range(config.epochs)]
        batches = [chosen for epoch in epochs for chosen in epoch.split(config.batch_size)]
        bar = tqdm(batches, desc="pretrain", disable=None if progress else True)
        for iteration, chosen in enumerate(bar):
            factor = poly(iteration, len(batches), 0.9) * warmup(iteration, 50)
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * factor
            batch = _normalised(images[chosen])
            shape_logits, strip_logits = model(batch.flip(3) if torch.rand(()) < 0.5 else batch)
            loss = F.cross_entropy(shape_logits, shapes[chosen])
            loss = loss + F.cross_entropy(strip_logits, strips[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    shape_accuracy, strip_accuracy = _accuracies(model.eval())
    return Pretrained(model.backbone, shape_accuracy, strip_accuracy, time.perf_counter() - started)


def _tensors(dataset: SceneCrops) -> tuple[Tensor, Tensor, Tensor]:
    images, shapes, strips = zip(*(dataset[i] for i in range(len(dataset))), strict=True)
    return torch.stack(images), torch.tensor(shapes), torch.tensor(strips)


def _normalised(images: Tensor) -> Tensor:
    """Normalise as the training on scenes does, with ImageNet's mean and standard deviation."""
    mean, std = (255 * torch.tensor(v).view(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return ((images.float() - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def _accuracies(model: CropClassifier) -> tuple[float, float]:
    images, shapes, strips = _tensors(SceneCrops("val"))
    answers = [model(_normalised(batch)) for batch in images.split(500)]
    right = [
        torch.cat([a[i].argmax(dim=1) for a in answers]) == truth for i, truth in enumerate((shapes, strips))
    ]
    return right[0].double().mean().item(), right[1].double().mean().item()
