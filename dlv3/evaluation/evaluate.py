"""The score of a model on a data set: whole images, labels at their own size, every image once (section 4)."""

import time
from collections.abc import Callable, Iterator

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from dlv3.config.evaluation import EvaluationConfig
from dlv3.evaluation.inference import at_output_stride, computing_in, made_ready, predict_labels
from dlv3.evaluation.metrics import ConfusionMatrix
from dlv3.evaluation.report import Evaluation

Sample = tuple[Tensor, Tensor]  # (3, H, W) float32, normalised; (H, W) labels
Transform = Callable[[Tensor, Tensor], Sample]


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    config: EvaluationConfig | None = None,
    *,
    device: torch.device | str | None = None,
    transform: Transform | None = None,
    workers: int = 0,
    progress: bool = True,
) -> Evaluation:
    """Evaluate a model on all images of a data set, each whole and at its own size.

    With an initialised process group, call it on every rank: each takes every so-many-th image, so that all are
    counted exactly once however many there are, and each returns the same scores. The model, its mode, its output
    stride and torch's random numbers are afterwards as they were. A `dlv3.DeepLabV3` is evaluated by way of
    `for_inference`: faster, and the same logits to rounding.

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
        ValueError: no images, labels that are no class, or a model for another number of classes.
    """
    config = config or EvaluationConfig()
    device = torch.device(device) if device is not None else next(model.parameters()).device
    classes = tuple(dataset.classes)
    _check_classes(model, classes, len(dataset))
    started = time.perf_counter()
    counts = ConfusionMatrix(len(classes))
    model = made_ready(model, config.precision)
    with at_output_stride(model, config.output_stride):
        output_stride = getattr(model, "output_stride", None)
        for images, labels in _batches(dataset, transform, config, device, workers, progress):
            with computing_in(model, config.precision, device):
                predicted = predict_labels(model, images, config.scales, config.flip)
            counts.update(predicted, labels)
    counts.all_reduce()
    return Evaluation.of(
        counts,
        classes,
        getattr(dataset, "groups", {}),
        config,
        images=len(dataset),
        seconds=time.perf_counter() - started,
        output_stride=output_stride,
    )


def indices_of_this_rank(length: int) -> range:
    """Every so-many-th index, from this process's rank on: all ranks together have each of them once.

    A DistributedSampler repeats images until all ranks have equally many, which would count those twice.
    """
    if dist.is_available() and dist.is_initialized():
        return range(dist.get_rank(), length, dist.get_world_size())
    return range(length)


class _Prepared(Dataset):
    """This rank's images, ready for the model."""

    def __init__(self, dataset: Dataset, transform: Transform | None) -> None:
        if transform is None:
            from dlv3.data.transforms import EvalTransform

            transform = EvalTransform()
        self.dataset, self.transform = dataset, transform
        self.indices = indices_of_this_rank(len(dataset))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, position: int) -> Sample:
        return self.transform(*self.dataset[self.indices[position]])


def _batches(
    dataset: Dataset,
    transform: Transform | None,
    config: EvaluationConfig,
    device: torch.device,
    workers: int,
    progress: bool,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of equal-sized images: (n, 3, H, W), (n, H, W), n at most the batch size."""
    prepared = _Prepared(dataset, transform)
    loader = DataLoader(
        prepared,
        batch_size=config.batch_size,
        num_workers=workers,
        collate_fn=_as_list,
        pin_memory=device.type == "cuda",
        # Left to itself a loader draws a seed from the global generator, and an evaluation in the middle of a
        # training would change the training.
        generator=torch.Generator(),
    )
    silent = (
        not progress or prepared.indices.start != 0
    )  # only rank 0 shows a bar, and (None) only on a terminal
    with tqdm(total=len(prepared), desc="evaluate", unit="image", disable=True if silent else None) as bar:
        for samples in loader:
            for group in _of_equal_size(samples):
                images = torch.stack([image for image, _ in group])
                labels = torch.stack([label for _, label in group])
                yield (
                    images.to(device, non_blocking=True, memory_format=torch.channels_last),
                    labels.to(device, non_blocking=True),
                )
            bar.update(len(samples))


def _as_list(samples: list[Sample]) -> list[Sample]:
    return samples


def _of_equal_size(samples: list[Sample]) -> list[list[Sample]]:
    groups: dict[torch.Size, list[Sample]] = {}
    for image, label in samples:
        groups.setdefault(image.shape, []).append((image, label))
    return list(groups.values())


def _check_classes(model: nn.Module, classes: tuple[str, ...], images: int) -> None:
    if images == 0:
        raise ValueError("dataset: has no images to evaluate on")
    of_model = getattr(getattr(model, "config", None), "num_classes", len(classes))
    if of_model != len(classes):
        raise ValueError(
            f"the model has {of_model} classes and the data set {len(classes)} ({', '.join(classes[:8])}"
            f"{', ...' if len(classes) > 8 else ''}): evaluate on data with the classes it was trained for"
        )
