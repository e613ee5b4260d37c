"""Options of a training: one frozen dataclass, each field with the paper's section where one applies."""

from dataclasses import dataclass
from typing import Annotated, Literal

from dlv3.fields import require
from dlv3.ranges import (
    SCALE,
    SCALE_STEP,
    Decay,
    Device,
    Each,
    Iterations,
    IterationsOrNone,
    LearningRate,
    Number,
    Seed,
    Several,
    Share,
    Whole,
    Workers,
    check_fields,
)

Policy = Literal["poly", "step"]
Optimizer = Literal["sgd", "adamw"]
Balance = Literal["none", "median-frequency"]
Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything about the training except the model and the data. The defaults are the paper's first stage (§4.1).

    Where a field says "not stated", the paper does not give the value: it is that of the authors' code, or ours.
    """

    iterations: Iterations = 30_000
    """Updates of the weights: 30K in both stages (§4.1, "Training protocol")."""
    batch_size: Several = 16
    """Pictures an update, over all processes (§4.1, "Batch normalization"; Table 9)."""
    crop_size: Annotated[int, Whole(1, 16_384)] = 513
    """Side of the training crops in pixels (§4.1, "Crop size"; Table 8)."""
    optimizer: Optimizer = "sgd"
    """sgd: stochastic gradient descent with momentum, as in the authors' code (not stated in the paper). adamw: for
    small networks and short runs."""
    learning_rate: LearningRate = 0.007
    """Learning rate at the start: 0.007, in the second stage 0.001 (§4.1)."""
    front_learning_rate: Annotated[float, Number(0, 1000)] = 1.0
    """Factor on the learning rate for the backbone's stem to block3. Not in the paper, which has one rate for all
    layers; below 1 it protects what a pretraining has taught them from the first steps of the new layers."""
    schedule: Policy = "poly"
    """poly (§4.1, "Learning rate policy"), or step for comparison: times step_factor every step_every iterations."""
    power: Annotated[float, Number(0, 100, above=True)] = 0.9
    """Power of the poly policy (§4.1)."""
    step_every: Iterations = 2000
    """Iterations between two drops, with schedule step."""
    step_factor: Annotated[float, Number(0, 1, above=True)] = 0.1
    """Factor on the learning rate at each drop, with schedule step."""
    warmup: IterationsOrNone = 0
    """Iterations of a linear rise at the start. Not in the paper; high learning rates from scratch need it."""
    momentum: Decay = 0.9
    """Momentum of sgd. Not stated; the authors' code has 0.9. adamw has PyTorch's own averages."""
    weight_decay: Share = 1e-4
    """Weight decay, on every parameter. Not stated; the authors' code has 1e-4."""

    batch_norm_decay: Decay = 0.9997
    """Decay of the running statistics (§4.1, "Batch normalization"); PyTorch's momentum is 1 minus it. 0.9997 is far
    too slow for short runs: give 0.9 to those of a few hundred iterations."""
    freeze_batch_norm: bool = False
    """Hold batch normalization: the second stage (§4.1), and the second row of Table 8."""
    downsample_labels: bool = False
    """Compare the coarse logits with downsampled labels, for Table 8. The paper upsamples the logits (§4.1)."""
    auxiliary_weight: Annotated[float, Number(0, 1000)] = 0.5
    """Weight of the auxiliary classifier's loss, with --model.aux. Not in the paper; torchvision's."""

    class_weights: Annotated[tuple[float, ...], Each(Number(0, 10**6), most=65_536)] = ()
    """Weight of each class in the loss, in the order of the classes; left out, all count the same. Not in the paper."""
    class_balance: Balance = "none"
    """median-frequency: weigh each class by the median of the classes' frequencies divided by its own, counted in the
    training pictures (Eigen and Fergus, 2015), so that rare classes count more. Not in the paper."""

    scale: Annotated[tuple[float, float], Each(SCALE, 2, 2)] = (0.5, 2.0)
    """Random scale, smallest and largest factor (§4.1, "Data augmentation")."""
    scale_step: Annotated[float, SCALE_STEP] = 0.0
    """Distance between the factors; 0 draws any. Not stated; the authors' code has 0.25."""
    flip: Share = 0.5
    """Probability of a left-right flip (§4.1)."""
    photometric: Share = 0.0
    """Strength of random brightness, contrast and saturation. Not in the paper."""

    pretrained: str | None = None
    """Weights that the backbone starts from: imagenet (torchvision's, as in the paper, §4), scenes or objects (the
    small weights that come with the project, of resnet14 and resnet17), a file of either kind, or none."""
    initial_weights: str | None = None
    """Weights that the whole model starts from; the layers that give logits are fresh if the number of classes differs.
    A run's folder, a .safetensors or .pth file, or deeplabv3_resnet50 or deeplabv3_resnet101 (torchvision's, trained on
    COCO's photos with VOC's classes). The second stage (§4.1)."""
    seed: Seed = 0
    """Seed of the initial weights, the order of the pictures, their augmentation and dropout."""

    accumulate: Several = 1
    """Parts to cut a batch into where memory is short. Batch normalization then sees one part at a time."""
    precision: Precision = "auto"
    """Number type of the computations; the weights are float32. auto is bfloat16 where the hardware has it."""
    channels_last: bool = True
    """Lay tensors out with the channels last, which convolutions are faster with."""
    compile: bool = False
    """Compile the model first: a minute at the start, faster iterations after."""
    device: Device = "auto"
    """auto is a CUDA GPU where there is one, else the CPU."""
    workers: Workers = 2
    """Processes that read and augment pictures, for each training process; 0 does it in the training process. The
    result does not depend on it."""

    log_interval: Iterations = 20
    """Iterations between two lines of metrics; the loss is looked at then."""
    checkpoint_interval: Iterations = 500
    """Iterations between two checkpoints."""
    validation_interval: IterationsOrNone = 2000
    """Iterations between two validations; there is one at the end too. 0 never validates."""
    keep_best: bool = False
    """Keep the weights with the best validation mIOU so far as well, in best.safetensors."""
    patience: IterationsOrNone = 0
    """Stop early after so many validations in a row without a better mIOU; 0 never does."""
    tensorboard: bool = False
    """Write the metrics for TensorBoard as well, into the run's folder."""

    def __post_init__(self) -> None:
        if self.pretrained == "none":
            object.__setattr__(self, "pretrained", None)
        check_fields(self, "training.")
        low, high = self.scale
        require("training.scale", self.scale, low <= high, "the smallest factor, then the largest")
        self._check_batches()
        self._check_class_weights()
        if (self.keep_best or self.patience) and not self.validation_interval:
            name = "keep_best=True" if self.keep_best else f"patience={self.patience}"
            raise ValueError(f"training.{name}: needs validations; give training.validation_interval above 0")

    def _check_class_weights(self) -> None:
        weights = self.class_weights
        require(
            "training.class_weights", weights, not weights or any(weights), "at least one of them above 0"
        )
        if weights and self.class_balance != "none":
            raise ValueError(
                f"training.class_weights={weights!r} with training.class_balance={self.class_balance!r}: give one "
                "of them"
            )

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
