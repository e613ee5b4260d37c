"""The update of the weights (§4.1), on one device or several; nothing in it waits for a GPU."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3
from dlv3.fast import for_training
from dlv3.training import optimizer as optimizers
from dlv3.training.batches import Batch
from dlv3.training.distributed import Processes
from dlv3.training.loss import LossModule
from dlv3.training.restoring import restore_model, restore_optimizer
from dlv3.training.sampling import DROPOUT, derive_seed
from dlv3.training.schedule import learning_rate_at
from dlv3.training.sync_batch_norm import synchronise_batch_norm


def autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the type to compute the network in; None is float32 throughout.

    "auto" is bfloat16 where the hardware multiplies it; elsewhere (a CPU with AVX2 only) it would be emulated, and
    slower than float32.
    """
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else None


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # torch has no public name for it. A version without this one computes in float32.
    supported: Callable[[], bool] = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return device.type == "cpu" and supported()


class Updater:
    """The model, its optimizer, and the update of §4.1.

    Args:
        model: moves to the processes' device and is trained in place.
        training: the configuration.
        processes: this process's place, and its device.
        class_weights: of each class in the loss; empty where all count the same.

    Raises:
        ValueError: the batch cannot be shared equally by the processes.
    """

    def __init__(
        self,
        model: DeepLabV3,
        training: TrainingConfig,
        processes: Processes,
        class_weights: Sequence[float] = (),
    ) -> None:
        self.training, self.processes, self.device = training, processes, processes.device
        self._require_equal_shares()
        self._layout = torch.channels_last if training.channels_last else torch.contiguous_format
        self.model = for_training(model).to(self.device).to(memory_format=self._layout).train()
        if processes.several and not model.batch_norm_frozen:
            synchronise_batch_norm(self.model, self.device)
        self._loss = LossModule(
            self.model,
            downsample_labels=training.downsample_labels,
            auxiliary_weight=training.auxiliary_weight,
            class_weights=class_weights,
            autocast=autocast_type(training.precision, self.device),
        )
        self._step = self._wrapped()
        self._optimizer = optimizers.make_optimizer(self.model, training, self.device)

    def _require_equal_shares(self) -> None:
        training, shares = self.training, self.training.accumulate * self.processes.count
        if training.batch_size % shares:
            raise ValueError(
                f"training.batch_size={training.batch_size}: cannot be shared equally by {self.processes.count} "
                f"processes in training.accumulate={training.accumulate} parts; give a multiple of {shares}"
            )

    def _wrapped(self) -> nn.Module:
        """Compile and distribute the loss, as configured."""
        step = cast(nn.Module, torch.compile(self._loss)) if self.training.compile else self._loss
        if not self.processes.several:
            return step
        # Buffers need no broadcast: synchronised batch normalization computes the same in every process.
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(
            step, device_ids=devices, broadcast_buffers=False, gradient_as_bucket_view=True
        )

    def update(self, iteration: int, batches: Iterator[Batch]) -> Tensor:
        """Make one update.

        Args:
            iteration: number of updates before this one; the learning rate and dropout's numbers follow from it.
            batches: yields this process's parts of the global batch.

        Returns:
            This process's share of the loss, a scalar still on the device: the sum over all processes is the mean
            over the global batch's labelled pixels.
        """
        optimizers.set_learning_rate(self._optimizer, learning_rate_at(self.training, iteration))
        parts = [self._to_device(*next(batches)) for _ in range(self.training.accumulate)]
        labelled = torch.stack([self._loss.normaliser(targets) for _, targets in parts]).sum()
        labelled = self.processes.sum(labelled)
        total = torch.zeros((), device=self.device)
        for number, (images, targets) in enumerate(parts):
            part = iteration * len(parts) + number
            self._seed_dropout(part)
            if isinstance(self._step, DistributedDataParallel):
                self._step.require_backward_grad_sync = number == len(parts) - 1
            loss = self._step(images, targets, labelled)
            # The loss is divided by the pixels of all processes; the average over processes divides once more.
            (loss * self.processes.count).backward()
            total += loss.detach()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return total

    def _to_device(self, images: Tensor, labels: Tensor) -> Batch:
        images = images.to(self.device, memory_format=self._layout, non_blocking=True)
        return images, self._loss.targets(labels.to(self.device, non_blocking=True))

    def _seed_dropout(self, part: int) -> None:
        place = part * self.processes.count + self.processes.rank
        torch.manual_seed(derive_seed(self.training.seed, DROPOUT, place))

    def all_finite(self) -> bool:
        """Tell whether all weights and running statistics are finite. Waits for the GPU."""
        tensors = [t for t in self.model.state_dict().values() if t.is_floating_point()]
        return bool(torch.stack([t.isfinite().all() for t in tensors]).all())

    def state(self) -> dict[str, Any]:
        """Return the weights, running statistics and momentum, for a checkpoint."""
        return {"model": self.model.state_dict(), "optimizer": self._optimizer.state_dict()}

    def restore(self, saved: dict[str, Any], path: Path | str) -> None:
        """Restore a checkpoint's weights, running statistics and momentum, after a comparison of all of them.

        Args:
            saved: as `state` returned it; with "iteration", the updates made. Before the first there is no momentum.
            path: the checkpoint's file, for messages.

        Raises:
            CheckpointError: the state is damaged, or of another optimizer.
            WeightsError: the state is of another network.
        """
        restore_model(self.model, saved, path)
        restore_optimizer(self._optimizer, saved, saved.get("iteration", 1), path)
