"""Contexts in which a model is evaluated: its faster form, number type, output stride and evaluation mode.

Every context here leaves the model as it found it.
"""

from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from threading import Lock
from typing import Protocol, cast
from weakref import WeakKeyDictionary

import torch
from torch import nn

from dlv3.config.evaluation import EvaluationConfig
from dlv3.deeplab import DeepLabV3
from dlv3.fast.served import InferenceModel
from dlv3.fields import require

# The modules in evaluation mode: by how many blocks, and the mode that each had before the first. Threads that share a
# model would otherwise take the evaluation mode of another thread's block for the model's own.
_evaluated: MutableMapping[nn.Module, tuple[int, bool]] = WeakKeyDictionary()
_lock = Lock()


class HasOutputStride(Protocol):
    """A model whose output stride can be changed, as `dlv3.DeepLabV3`."""

    @property
    def output_stride(self) -> int: ...

    def set_output_stride(self, output_stride: int) -> None: ...


def device_of(model: nn.Module, device: torch.device | str | None = None) -> torch.device:
    """Return the device to compute on: the given one, or that of the model's parameters."""
    return next(model.parameters()).device if device is None else torch.device(device)


@contextmanager
def as_configured(model: nn.Module, config: EvaluationConfig) -> Iterator[nn.Module]:
    """Run a model as a configuration asks: a `dlv3.DeepLabV3` by way of `for_inference`, at the output stride.

    Args:
        model: afterwards as it was.
        config: its `precision` and `output_stride` are used.

    Yields:
        The model that gives the logits fastest.

    Raises:
        ValueError: the model cannot have this output stride.
    """
    if isinstance(model, DeepLabV3):
        model = model.for_inference(getattr(torch, config.precision))
    with at_output_stride(model, config.output_stride):
        yield model


def autocast(model: nn.Module, precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 where that is asked for; a model made by `for_inference` already has its type."""
    enabled = precision == "bfloat16" and not isinstance(model, InferenceModel)
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@contextmanager
def at_output_stride(model: nn.Module, output_stride: int | None) -> Iterator[nn.Module]:
    """Run the model at another output stride inside the block; afterwards, or after an error, it has its own again.

    Args:
        model: with `output_stride` and `set_output_stride`, as `dlv3.DeepLabV3`.
        output_stride: the one to use; None keeps the model's own.

    Raises:
        ValueError: the model cannot have this output stride.
    """
    if output_stride is None:
        yield model
        return
    changeable = hasattr(model, "set_output_stride")
    require(
        "output_stride", output_stride, changeable, f"None, because a {type(model).__name__} cannot change it"
    )
    strided = cast(HasOutputStride, model)
    own = strided.output_stride
    try:
        strided.set_output_stride(output_stride)
        yield model
    finally:
        strided.set_output_stride(own)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Set evaluation mode and compute no gradients inside the block; afterwards each module has its own mode again.

    Blocks of several threads may overlap: the last one to end restores the modes.
    """
    # One by one: model.train() would also wake batch normalization that was frozen by hand.
    modules = list(model.modules())
    with _lock:
        for module in modules:
            blocks, training = _evaluated.get(module, (0, module.training))
            _evaluated[module] = (blocks + 1, training)
        model.eval()
    try:
        with torch.no_grad():
            yield model
    finally:
        with _lock:
            for module in modules:
                blocks, training = _evaluated.pop(module)
                if blocks > 1:
                    _evaluated[module] = (blocks - 1, training)
                else:
                    module.training = training
