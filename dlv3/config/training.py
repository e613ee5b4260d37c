"""Options of a training: one frozen dataclass, each field with the paper's section where one applies."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from dlv3.fields import lists_to_tuples, require, require_choice, require_whole

Policy = Literal["poly", "step"]
Optimizer = Literal["sgd", "adamw"]
Balance = Literal["none", "median-frequency"]
Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything about the training except the model and the data. The defaults are the paper's first stage (§4.1).

    Where a field says "not stated", the paper does not give the value: it is that of the authors' code, or ours.
    """

    iterations: int = 30_000
    """Updates of the weights: 30K in both stages (§4.1, "Training protocol")."""
    batch_size: int = 16
    """Pictures an update, over all processes (§4.1, "Batch normalization"; Table 9)."""
    crop_size: int = 513
    """Side of the training crops in pixels (§4.1, "Crop size"; Table 8)."""
    optimizer: Optimizer = "sgd"
    """sgd: stochastic gradient descent with momentum, as in the authors' code (not stated in the paper). adamw: for
    small networks and short runs."""
    learning_rate: float = 0.007
    """At the start: 0.007, in the second stage 0.001 (§4.1)."""
    front_learning_rate: float = 1.0
    """Factor on the learning rate for the backbone's stem to block3. Not in the paper, which has one rate for all
    layers; below 1 it protects what a pretraining has taught them from the first steps of the new layers."""
    schedule: Policy = "poly"
    """poly (§4.1, "Learning rate policy"), or step for comparison: times step_factor every step_every iterations."""
    power: float = 0.9
    """Of the poly policy (§4.1)."""
    step_every: int = 2000
    """step: iterations between two drops."""
    step_factor: float = 0.1
    """step: what each drop multiplies the learning rate by."""
    warmup: int = 0
    """Iterations of a linear rise at the start. Not in the paper; high learning rates from scratch need it."""
    momentum: float = 0.9
    """sgd: not stated; the authors' code has 0.9. adamw has PyTorch's own averages."""
    weight_decay: float = 1e-4
    """On every parameter. Not stated; the authors' code has 1e-4."""

    batch_norm_decay: float = 0.9997
    """Of the running statistics (§4.1, "Batch normalization"); PyTorch's momentum is 1 minus it. Far too slow for
    short runs: give 0.9 to those of a few hundred iterations."""
    freeze_batch_norm: bool = False
    """Hold batch normalization: the second stage (§4.1), and the second row of Table 8."""
    downsample_labels: bool = False
    """Compare the coarse logits with downsampled labels, for Table 8. The paper upsamples the logits (§4.1)."""
    auxiliary_weight: float = 0.5
    """Weight of the auxiliary classifier's loss, with --model.aux. Not in the paper; torchvision's."""

    class_weights: tuple[float, ...] = ()
    """Weight of each class in the loss, in the order of the classes: numbers of at least 0; left out, all count the
    same. Not in the paper."""
    class_balance: Balance = "none"
    """median-frequency: weigh each class by the median of the classes' frequencies divided by its own, counted in the
    training pictures (Eigen and Fergus, 2015), so that rare classes count more. Not in the paper."""

    scale: tuple[float, float] = (0.5, 2.0)
    """Random scale, smallest and largest factor (§4.1, "Data augmentation")."""
    scale_step: float = 0.0
    """Distance between the factors; 0 draws any. Not stated; the authors' code has 0.25."""
    flip: float = 0.5
    """Probability of a left-right flip (§4.1)."""
    photometric: float = 0.0
    """Strength of random brightness, contrast and saturation, 0 to 1. Not in the paper."""

    pretrained: str | None = None
    """What the backbone starts from: imagenet (torchvision's weights, as in the paper, §4), scenes or objects (the
    small weights that come with the project, of resnet14 and resnet17), a file of either kind, or none."""
    initial_weights: str | None = None
    """What the whole model starts from, with the layers that give logits fresh if the classes are others: a run's
    folder, a .safetensors or .pth file, or deeplabv3_resnet50 or deeplabv3_resnet101 (torchvision's, trained on COCO
    and VOC's classes). The second stage (§4.1)."""
    seed: int = 0
    """Of the initial weights, the order of the pictures, their augmentation and dropout."""

    accumulate: int = 1
    """Parts to cut a batch into where memory is short. Batch normalization then sees one part at a time."""
    precision: Precision = "auto"
    """What the network is computed in; the weights are float32. auto is bfloat16 where the hardware has it."""
    channels_last: bool = True
    """Lay tensors out with the channels last, which convolutions are faster with."""
    compile: bool = False
    """Compile the model first: a minute at the start, faster iterations after."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto is a CUDA GPU where there is one, else the CPU."""
    workers: int = 2
    """Processes that read and augment pictures, for each training process; 0 does it in the training process. The
    result does not depend on it."""

    log_interval: int = 20
    """Iterations between two lines of metrics; the loss is looked at then."""
    checkpoint_interval: int = 500
    """Iterations between two checkpoints."""
    validation_interval: int = 2000
    """Iterations between two validations; there is one at the end too. 0 never validates."""
    keep_best: bool = False
    """Keep the weights with the best validation mIOU so far as well, in best.safetensors."""
    patience: int = 0
    """Stop early after so many validations in a row without a better mIOU; 0 never does."""
    tensorboard: bool = False
    """Write the metrics for TensorBoard as well, into the run's folder."""

    def __post_init__(self) -> None:
        lists_to_tuples(self, "scale", "class_weights")
        if self.pretrained == "none":
            object.__setattr__(self, "pretrained", None)
        for name in (
            "iterations",
            "batch_size",
            "crop_size",
            "step_every",
            "accumulate",
            "log_interval",
            "checkpoint_interval",
        ):
            require_whole(f"training.{name}", getattr(self, name))
        for name in ("warmup", "workers", "validation_interval", "patience", "seed"):
            require_whole(f"training.{name}", getattr(self, name), minimum=0)
        for name in ("learning_rate", "power", "step_factor"):
            self._require(name, getattr(self, name) > 0, "a number above 0")
        for name in ("weight_decay", "auxiliary_weight", "scale_step", "front_learning_rate"):
            self._require(name, getattr(self, name) >= 0, "a number of at least 0")
        for name in ("flip", "photometric"):
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("momentum", "batch_norm_decay"):
            holds = 0 <= getattr(self, name) < 1
            self._require(name, holds, "a number from 0 to below 1, such as 0.9 or 0.9997")
        require_choice("training.schedule", self.schedule, get_args(Policy))
        require_choice("training.optimizer", self.optimizer, get_args(Optimizer))
        require_choice("training.precision", self.precision, get_args(Precision))
        ordered = len(self.scale) == 2 and 0 < self.scale[0] <= self.scale[1]
        self._require("scale", ordered, "the smallest and the largest factor, both above 0")
        self._check_batches()
        self._check_class_weights()
        if (self.keep_best or self.patience) and not self.validation_interval:
            name = "keep_best=True" if self.keep_best else f"patience={self.patience}"
            raise ValueError(f"training.{name}: needs validations; give training.validation_interval above 0")

    def _check_class_weights(self) -> None:
        require_choice("training.class_balance", self.class_balance, get_args(Balance))
        weights = self.class_weights
        usable = all(isinstance(w, int | float) and 0 <= w < math.inf for w in weights) and any(weights)
        allowed = "a number of at least 0 for each class, and one above 0"
        self._require("class_weights", not weights or usable, allowed)
        if weights and self.class_balance != "none":
            raise ValueError(
                f"training.class_weights={weights!r} with training.class_balance={self.class_balance!r}: give one "
                "of them"
            )

    def _require(self, name: str, holds: bool, allowed: str) -> None:
        require(f"training.{name}", getattr(self, name), holds, allowed)

    def _check_batches(self) -> None:
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"training.accumulate={self.accumulate}: does not divide training.batch_size={self.batch_size}"
            )
        if self.batch_size == self.accumulate and not self.freeze_batch_norm:
            raise ValueError(
                f"training.batch_size={self.batch_size} in training.accumulate={self.accumulate} parts: batch "
                "normalization would learn from one picture at a time; give parts of 2 or more pictures, or "
                "training.freeze_batch_norm"
            )
