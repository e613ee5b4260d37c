"""The probes' network and its training, small enough to show one mechanism of the paper in about ten seconds."""

import time
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlv3.ablations.small_nets import CHANNELS, shared_widths, train_by_adam
from dlv3.aspp import ImagePooling, conv_bn_relu
from dlv3.atrous import AtrousConv2d
from dlv3.data import SegmentationDataset, Split
from dlv3.deeplab import upsample
from dlv3.evaluation import ConfusionMatrix
from dlv3.resnet import BackboneSpec, BasicUnit, ResNet

BACKBONE = BackboneSpec(BasicUnit, (1, 1, 1, 1), (16, 32, 32, CHANNELS), 16, small_stem=True)


@dataclass(frozen=True)
class ProbeConfig:
    """One probe: the task, the part of the network in question, and the training."""

    task: str
    """markers:one, markers:mixed, markers:image, ground, cells:near, cells:far or cells:dots."""
    distance: int = 48
    """markers:one: pixels from a disc to its marker."""
    rates: tuple[int, ...] = ()
    """Of parallel 3×3 branches (section 3.3). They share 64 channels, so that their number changes no parameter
    count."""
    stack: tuple[int, ...] = ()
    """Rates of 3×3 layers in sequence (section 3.2)."""
    image_pooling: bool = False
    """A branch of image-level features beside the others (section 3.3)."""
    output_stride: int | None = None
    """Of a small ResNet that takes the place of stem, branches and stack (section 3.1)."""
    pictures: int = 2000
    """How many pictures to train on."""
    iterations: int = 300
    batch_size: int = 16
    learning_rate: float = 4e-3
    """Adam's; poly 0.9 after 20 iterations of warm-up."""
    seed: int = 0


class ProbeNet(nn.Module):
    """A stem at output stride 4 with a small field of view, then the part in question, then a classifier."""

    def __init__(self, config: ProbeConfig, num_classes: int) -> None:
        super().__init__()
        if config.output_stride is not None:
            self.stem: nn.Module = ResNet(BACKBONE, output_stride=config.output_stride, multi_grid=(1,))
            channels, self.branches, self.stack = CHANNELS, None, nn.Sequential()
        else:
            self.stem, channels = _stem(overlapping=not config.stack), 32
            widths = shared_widths(len(config.rates))
            branches = [conv_bn_relu(32, w, 3, rate) for w, rate in zip(widths, config.rates, strict=True)]
            if config.image_pooling:
                branches.append(ImagePooling(32, CHANNELS))
            self.branches = nn.ModuleList(branches) if branches else None
            channels = CHANNELS * (bool(config.rates) + config.image_pooling) or channels
            self.stack = nn.Sequential(*(conv_bn_relu(32, 32, 3, rate) for rate in config.stack))
        self.classifier = nn.Sequential(
            *conv_bn_relu(channels, CHANNELS, 1), nn.Conv2d(CHANNELS, num_classes, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, num_classes, H, W) of images (N, 3, H, W)."""
        H, W = images.shape[2:]
        features = self.stack(self.stem(images))  # (N, C, H/os, W/os); os is 4, or the one in question
        if self.branches is not None:
            features = torch.cat([branch(features) for branch in self.branches], dim=1)
        logits = self.classifier(features)
        if len(self.stack):
            # Each cell answers for itself: with bilinear upsampling its neighbours, which see other cells, would help.
            return F.interpolate(logits, size=(H, W), mode="nearest")
        return upsample(logits, (H, W))


def _stem(*, overlapping: bool) -> nn.Sequential:
    """Return a stem of output stride 4 with 32 channels.

    Args:
        overlapping: whether its windows overlap. If holes are the question, they must not: they would fill the holes.
    """
    if overlapping:
        return nn.Sequential(
            *conv_bn_relu_strided(3, 16, 3, 2), *conv_bn_relu_strided(16, 32, 3, 2), *conv_bn_relu(32, 32, 3)
        )
    return nn.Sequential(nn.Conv2d(3, 32, 4, stride=4, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True))


def conv_bn_relu_strided(in_channels: int, out_channels: int, kernel_size: int, stride: int) -> nn.Sequential:
    """Return a convolution with a stride, batch normalization and ReLU."""
    return nn.Sequential(
        AtrousConv2d(in_channels, out_channels, kernel_size, stride=stride),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


@dataclass(frozen=True)
class ProbeResult:
    """The scores of a probe."""

    accuracy: float
    """The share of the labelled pixels that are right, from 0 to 1; guessing gives one over the number of classes."""
    miou: float
    iou: tuple[float, ...]
    classes: tuple[str, ...]
    parameters: int
    seconds: float
    """Wall time of the training and the scoring."""


def run_probe(config: ProbeConfig, split: Split = "val") -> ProbeResult:
    """Train one probe and score it.

    Args:
        config: the probe.
        split: the split to score on: "val" to design with, "test" to report.

    Raises:
        ValueError: an unknown task.
    """
    classes = tuple(open_task(config, split).classes)
    train, scored = (task_tensors(config.task, config.distance, s, config.pictures) for s in ("train", split))
    started = time.perf_counter()
    net = train_probe(config, *train, len(classes))
    counts = score_probe(net, *scored, len(classes))
    return ProbeResult(
        accuracy=counts.pixel_accuracy(),
        miou=counts.miou(),
        iou=tuple(counts.iou().tolist()),
        classes=classes,
        parameters=sum(p.numel() for p in net.parameters()),
        seconds=time.perf_counter() - started,
    )


def open_task(config: ProbeConfig, split: Split, pictures: int | None = None) -> SegmentationDataset:
    """Open the task's pictures.

    Args:
        config: names the task.
        split: "train", "val" or "test".
        pictures: how many; as many as the split has when left out.

    Raises:
        ValueError: an unknown task.
    """
    family, _, kind = config.task.partition(":")
    if family == "cells":
        from dlv3.data.made.cells import CellMarkers

        return CellMarkers(kind, split, pictures=pictures)
    if family == "markers":
        from dlv3.data.made.markers import Markers

        return Markers(kind, split, distance=config.distance, pictures=pictures)
    if config.task == "ground":
        from dlv3.data.made.ground import Ground

        return Ground(split, pictures=pictures)
    raise ValueError(f"task={config.task!r}: expected markers:KIND, cells:KIND or ground")


# Enough for a table's task and the next one's, each at most 130 MB.
@lru_cache(maxsize=4)
def task_tensors(task: str, distance: int, split: Split, pictures: int) -> tuple[Tensor, Tensor]:
    """Return a task's pictures, drawn once for all probes of a process.

    Args:
        task: as in `ProbeConfig`.
        distance: as in `ProbeConfig`.
        split: "train", or the split to score on, which is always whole.
        pictures: how many to train on.

    Returns:
        Images (N, 3, H, H) and labels (N, H, H), uint8.
    """
    config = ProbeConfig(task, distance=distance)
    return _tensors(open_task(config, split, pictures if split == "train" else None))


def train_probe(config: ProbeConfig, images: Tensor, labels: Tensor, num_classes: int) -> ProbeNet:
    """Train a probe's network.

    Args:
        config: the probe; the same seed gives the same network on the same machine.
        images: (N, 3, H, H) uint8.
        labels: (N, H, H) uint8, 255 without a label.
        num_classes: of the labels.

    Returns:
        The network in evaluation mode.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        net = ProbeNet(config, num_classes).to(memory_format=torch.channels_last)

        def loss() -> Tensor:
            chosen = torch.randint(len(images), (config.batch_size,))
            batch, target = _turned(_normalised(images[chosen]), labels[chosen].long())
            logits = net(batch.contiguous(memory_format=torch.channels_last))
            return F.cross_entropy(logits, target, ignore_index=255)

        train_by_adam(net, config.iterations, config.learning_rate, loss)
    return net.eval()


@torch.inference_mode()
def score_probe(net: ProbeNet, images: Tensor, labels: Tensor, num_classes: int) -> ConfusionMatrix:
    """Count a probe's answers on pictures (N, 3, H, W) and labels (N, H, W), both uint8, in float32."""
    counts = ConfusionMatrix(num_classes)
    for batch, target in zip(images.split(50), labels.split(50), strict=True):
        counts.update(net(_normalised(batch).contiguous(memory_format=torch.channels_last)), target)
    return counts


def _tensors(dataset: SegmentationDataset) -> tuple[Tensor, Tensor]:
    pairs = [dataset[i] for i in range(len(dataset))]
    images = torch.stack([image.as_subclass(Tensor) for image, _ in pairs])
    return images, torch.stack([mask.as_subclass(Tensor) for _, mask in pairs])


def _normalised(images: Tensor) -> Tensor:
    return (images.float() - 127.5) / 64


def _turned(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return a batch turned by a random number of quarters, and mirrored or not: no direction is special."""
    quarters, mirrored = int(torch.randint(4, ())), bool(torch.randint(2, ()))
    images, labels = torch.rot90(images, quarters, (2, 3)), torch.rot90(labels, quarters, (1, 2))
    return (images.flip(3), labels.flip(2)) if mirrored else (images, labels)
