"""The batches of a training: a loader of augmented crops, in an order that follows from the seed alone."""

from collections.abc import Generator

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from dlv3.config.training import TrainingConfig
from dlv3.data import SegmentationDataset
from dlv3.data.loading import batches_of
from dlv3.data.transforms import TrainTransform
from dlv3.training.distributed import Processes
from dlv3.training.sampling import PositionBatches, TrainingSamples
from dlv3.training.stopping import leave_signals_to_parent

Batch = tuple[Tensor, Tensor]  # (n, 3, crop, crop) float32, (n, crop, crop) int64


def training_batches(
    dataset: SegmentationDataset, training: TrainingConfig, processes: Processes, first: int = 0
) -> Generator[Batch]:
    """Return this process's batches from iteration `first` to the end, `accumulate` of them an iteration."""
    transform = TrainTransform(
        training.crop_size,
        training.scale,
        training.flip,
        scale_step=training.scale_step,
        photometric=training.photometric,
    )
    positions = PositionBatches(
        training.batch_size,
        first,
        training.iterations,
        accumulate=training.accumulate,
        rank=processes.rank,
        processes=processes.count,
    )
    loader = DataLoader(
        TrainingSamples(dataset, transform, training.seed),
        batch_sampler=positions,
        num_workers=training.workers,
        pin_memory=processes.device.type == "cuda",
        worker_init_fn=leave_signals_to_parent,
        # By default a loader draws from the global generator.
        generator=torch.Generator(),
    )
    return batches_of(loader)
