"""Compare a training step (forward, loss, backward, SGD) of `dlv3 train` with that of torchvision's model."""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import repeat
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.compare import Contender, compared
from benchmarks.counting import Operations, count
from benchmarks.inference import exactly
from benchmarks.machine import has_bfloat16, threads
from benchmarks.options import Options
from benchmarks.reference import CLASSES, our_model, torchvision_model
from benchmarks.rows import Case, Row
from dlv3.config.training import TrainingConfig
from dlv3.deeplab import DeepLabV3
from dlv3.fast import for_training
from dlv3.training.distributed import Processes
from dlv3.training.loss import IGNORE_INDEX, LossModule, labelled_pixels
from dlv3.training.updates import Updater

# So low that the weights stay as they are, however many steps are timed.
LEARNING_RATE = 1e-8
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
Batch = tuple[Tensor, Tensor]


def training_rows(options: Options, device: torch.device) -> Iterator[Row]:
    """Measure one update of the weights, at each output stride and number of threads."""
    counts = options.threads[:1] if device.type == "cuda" else options.threads
    batch = made_batch((options.training_batch, 3, options.training_size, options.training_size), device)
    for output_stride in options.output_stride:
        theirs = torchvision_model(output_stride).to(device)
        difference = max(differences(our_model(theirs, output_stride), theirs, batch))
        for number in counts:
            with threads(number):
                yield from _case(theirs, output_stride, batch, difference, options)


def _case(
    theirs: nn.Module, output_stride: int, batch: Batch, difference: float, options: Options
) -> Iterator[Row]:
    shape, device = batch[0].shape, batch[0].device
    case: Case = {"os": output_stride, "batch": shape[0], "size": shape[2]}
    if device.type == "cpu":
        case["threads"] = torch.get_num_threads()
    dtypes = [torch.float32] + [torch.bfloat16] * (options.emulated or has_bfloat16(device))
    contenders = []
    for dtype in dtypes:
        exact = dtype == torch.float32
        their_step = plain_step(copy.deepcopy(theirs), batch, dtype)
        our_step = dlv3_step(our_model(theirs, output_stride), batch, dtype)
        names = ("torchvision", "dlv3") if exact else ("torchvision, autocast", "dlv3, bfloat16")
        contenders.append(Contender(names[0], their_step, dtype))
        contenders.append(Contender(names[1], our_step, dtype, difference if exact else None, ours=True))
    operations = count_step(output_stride, shape)
    yield from compared("training", case, contenders, options, device, operations)


def made_batch(shape: tuple[int, ...], device: torch.device, classes: int = CLASSES) -> Batch:
    """Return noise as images, and labels in blocks, a tenth of them ignored."""
    generator = torch.Generator().manual_seed(2)
    images = torch.randn(shape, generator=generator)
    coarse = torch.randint(classes, (shape[0], 1, 9, 9), generator=generator)
    coarse[torch.rand(coarse.shape, generator=generator) < 0.1] = IGNORE_INDEX
    labels = F.interpolate(coarse.float(), shape[2:], mode="nearest")[:, 0].long()
    return images.to(device), labels.to(device)


def plain_step(
    model: nn.Module, batch: Batch, dtype: torch.dtype, *, compile: bool = False
) -> Callable[[], object]:
    """Return a step as torch's users write it; in bfloat16 under autocast."""
    model.train()
    net = torch.compile(model) if compile else model
    optimizer = torch.optim.SGD(
        model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    images, labels = batch

    def step() -> None:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = plain_loss(net, images, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def plain_loss(model: Callable[[Tensor], object], images: Tensor, labels: Tensor) -> Tensor:
    """Return the loss as torch's users write it; a model of torchvision's answers with a dictionary."""
    found = model(images)
    logits = found["out"] if isinstance(found, dict) else found
    return F.cross_entropy(cast("Tensor", logits), labels, ignore_index=IGNORE_INDEX)


def dlv3_step(
    model: DeepLabV3, batch: Batch, dtype: torch.dtype, *, compile: bool = False, tf32: bool = True
) -> Callable[[], object]:
    """Return a step of `dlv3 train`; the model is trained in place."""
    device = batch[0].device
    config = TrainingConfig(
        batch_size=len(batch[0]),
        learning_rate=LEARNING_RATE,
        momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY,
        precision="float32" if dtype == torch.float32 else "bfloat16",
        compile=compile,
    )
    updater = Updater(model, config, Processes(device))

    def step() -> None:
        with _training_kernels(device, tf32):
            updater.update(0, repeat(batch))

    return step


def _training_kernels(device: torch.device, tf32: bool) -> AbstractContextManager[None]:
    """Set cuDNN as `dlv3.training.train` does, which allows TF32."""
    if device.type == "cpu":
        return nullcontext()
    return torch.backends.cudnn.flags(benchmark=True, deterministic=False, allow_tf32=tf32)


def differences(ours: DeepLabV3, theirs: nn.Module, batch: Batch) -> tuple[float, float]:
    """Return the difference between our step and theirs in the loss, and the largest in a parameter's gradient.

    Both are shares of the value. There is no dropout, the statistics of batch normalization are held, and a smooth
    activation takes ReLU's place: otherwise the gradient of new weights depends on the units at ReLU's edge, and that
    of float32 differs by 2% from that of float64.
    """
    our_net, their_net = for_training(copy.deepcopy(ours)), copy.deepcopy(theirs)
    for net in (our_net, their_net):
        _make_smooth(net.to(batch[0].device).eval())
    images, labels = batch

    def with_gradients(loss: Tensor, net: nn.Module) -> tuple[Tensor, ...]:
        return loss, *torch.autograd.grad(loss, list(net.parameters()))

    def both() -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        our_loss = LossModule(our_net)(images, labels, labelled_pixels(labels))
        their_loss = plain_loss(their_net, images, labels)
        return with_gradients(our_loss, our_net), with_gradients(their_loss, their_net)

    pairs = zip(*exactly(both, images.device), strict=True)
    found = [((our - their).norm() / their.norm()).item() for our, their in pairs]
    return found[0], max(found[1:])


def _make_smooth(module: nn.Module) -> None:
    for name, child in module.named_children():
        if isinstance(child, nn.ReLU):
            setattr(module, name, nn.SiLU())
        _make_smooth(child)


@cache
def count_step(output_stride: int, shape: tuple[int, ...]) -> Operations:
    """Count the operations of forward and backward of torchvision's model, without computing them."""
    with torch.device("meta"):
        model, images = torchvision_model(output_stride).train(), torch.empty(shape)
    return count(lambda: model(images)["out"].sum().backward())
