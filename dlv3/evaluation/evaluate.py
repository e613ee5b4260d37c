"""The score of a model on a data set: whole images, labels at their own size, every image once (section 4)."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from dlv3.config.evaluation import EvaluationConfig
from dlv3.data.loading import batches_of
from dlv3.evaluation.inference import predict_labels
from dlv3.evaluation.metrics import ConfusionMatrix
from dlv3.evaluation.modes import as_configured, autocast, device_of
from dlv3.evaluation.report import Evaluation

Sample = tuple[Tensor, Tensor]  # (3, H, W) float32, normalised; (H, W) labels
Transform = Callable[[Tensor, Tensor], Sample]


class LabelledImages(Protocol):
    """The parts of a data set that `evaluate` uses; every set of `dlv3.data` has them."""

    @property
    def classes(self) -> Sequence[str]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]: ...


def evaluate(
    model: nn.Module,
    dataset: LabelledImages,
    config: EvaluationConfig | None = None,
    *,
    device: torch.device | str | None = None,
    transform: Transform | None = None,
    workers: int = 0,
    progress: bool = True,
) -> Evaluation:
    """Evaluate a model on all images of a data set, each whole and at its own size.

    With an initialised process group, call it on every rank: each rank takes every n-th image of n ranks, so that
    all images are counted exactly once however many there are, and each returns the same scores. The model, its
    mode, its output stride and torch's random numbers are afterwards as they were. A `dlv3.DeepLabV3` is evaluated
    by way of `for_inference`: faster, and the same logits to rounding.

    Args:
        model: gives logits for the data set's classes.
        dataset: `dataset[i]` is an image, (3, H, W) uint8, and its labels, (H, W), 255 ignored. It has `classes`,
            and may have `groups`: names of secondary scores, each with the indices of its classes.
        config: how to look at each image.
        device: where to compute; the model must be there. The device of its parameters when left out.
        transform: image and labels to what the model takes; `dlv3.data.EvalTransform()` when left out.
        workers: processes that load images; 0 loads in this one.
        progress: whether to show a bar, where there is a terminal to show it on.

    Raises:
        ValueError: there are no images, a label is not a class, or the model has another number of classes.
    """
    config = config or EvaluationConfig()
    device = device_of(model, device)
    classes = tuple(dataset.classes)
    _check_classes(model, classes, len(dataset))
    groups: Mapping[str, tuple[int, ...]] = getattr(dataset, "groups", {})
    started = time.perf_counter()
    counts = ConfusionMatrix(len(classes))
    batches = _batches(dataset, transform, config, device, workers, progress)
    with as_configured(model, config) as runner, closing(batches):
        output_stride: int | None = getattr(runner, "output_stride", None)
        for images, labels in batches:
            with autocast(runner, config.precision, device):
                predicted = predict_labels(runner, images, config.scales, config.flip)
            counts.update(predicted, labels)
    counts.all_reduce()
    return Evaluation.of(
        counts,
        classes,
        groups,
        config,
        images=len(dataset),
        seconds=time.perf_counter() - started,
        output_stride=output_stride,
    )


def indices_of_this_rank(length: int) -> range:
    """Return every n-th index of n ranks, from this process's rank on: all ranks together have each of them once.

    A DistributedSampler repeats images until all ranks have equally many, which would count those twice.
    """
    if dist.is_available() and dist.is_initialized():
        return range(dist.get_rank(), length, dist.get_world_size())
    return range(length)


class _Prepared(Dataset[Sample]):
    """This rank's images, ready for the model."""

    def __init__(self, dataset: LabelledImages, transform: Transform | None) -> None:
        self.dataset, self.transform = dataset, transform or _default_transform()
        self.indices = indices_of_this_rank(len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Sample:
        return self.transform(*self.dataset[self.indices[position]])


def _batches(
    dataset: LabelledImages,
    transform: Transform | None,
    config: EvaluationConfig,
    device: torch.device,
    workers: int,
    progress: bool,
) -> Generator[tuple[Tensor, Tensor]]:
    """Yield batches of equal-sized images: (n, 3, H, W), (n, H, W), n at most the batch size."""
    prepared = _Prepared(dataset, transform)
    loader = DataLoader(
        prepared,
        batch_size=config.batch_size,
        num_workers=workers,
        collate_fn=_as_list,
        pin_memory=device.type == "cuda",
        # By default a loader draws a seed from the global generator, and an evaluation in the middle of a training
        # would change the training.
        generator=torch.Generator(),
    )
    # Only rank 0 shows a bar, and (disable=None) only on a terminal.
    shown = progress and prepared.indices.start == 0
    bar = tqdm(total=len(prepared), desc="evaluate", unit="image", disable=None if shown else True)
    with bar, closing(batches_of(loader)) as batches:
        for samples in batches:
            for group in _of_equal_size(samples):
                images = torch.stack([image for image, _ in group])
                labels = torch.stack([label for _, label in group])
                yield (
                    images.to(device, non_blocking=True, memory_format=torch.channels_last),
                    labels.to(device, non_blocking=True),
                )
            bar.update(len(samples))


def _default_transform() -> Transform:
    # Imported here, because it needs torchvision and a transform of the caller's own may not.
    from dlv3.data.transforms import EvalTransform

    return EvalTransform()


def _as_list(samples: list[Sample]) -> list[Sample]:
    return samples


def _of_equal_size(samples: list[Sample]) -> list[list[Sample]]:
    groups: dict[torch.Size, list[Sample]] = {}
    for image, label in samples:
        groups.setdefault(image.shape, []).append((image, label))
    return list(groups.values())


def _check_classes(model: nn.Module, classes: tuple[str, ...], images: int) -> None:
    if images == 0:
        raise ValueError("dataset: has no images to evaluate on; give one with at least 1")
    of_model = getattr(getattr(model, "config", None), "num_classes", len(classes))
    if of_model != len(classes):
        raise ValueError(
            f"the model has {of_model} classes and the data set {len(classes)} ({', '.join(classes[:8])}"
            f"{', ...' if len(classes) > 8 else ''}): evaluate on data with the classes that it was trained for"
        )
