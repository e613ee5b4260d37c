"""A model without values: its names and shapes at no cost of memory, to compare a received file with first."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from dlv3.atrous import AtrousConv2d
from dlv3.deeplab import DeepLabV3, DeepLabV3Config
from dlv3.state_dicts import WeightsError, compare, load_state_dict


def skeleton(config: DeepLabV3Config) -> DeepLabV3:
    """Build a model on the meta device, in a tenth of a second at any size."""
    with torch.device("meta"), _NoRandomValues():
        return DeepLabV3(config)


class _NoRandomValues(TorchFunctionMode):
    """Leaves initialisation out. On the meta device it changes nothing, but its first use loads torch's compiler."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in (Tensor.normal_, Tensor.uniform_) or getattr(func, "__module__", "") == "torch.nn.init":
            return None
        return func(*args, **(kwargs or {}))


def built_with(config: DeepLabV3Config, tensors: dict[str, Tensor], source: str) -> DeepLabV3:
    """Build a model and fill it. The tensors are compared with the configuration before memory is taken for it."""
    compare(skeleton(config), tensors, source)
    model = DeepLabV3(config)
    load_state_dict(model, tensors, source)
    return model.eval()


def config_in_force(model: DeepLabV3) -> DeepLabV3Config:
    """Return a model's configuration with the output stride and the rates that it has now.

    Raises:
        WeightsError: no configuration builds this model, for example because its last layer was replaced.
    """
    aspp_rates = model.aspp.rates if model.aspp is not None else ()
    stated_at = model.backbone.spec.paper_output_stride
    config = replace(
        model.config,
        output_stride=model.output_stride,
        multi_grid=model.backbone.multi_grid,
        aspp_rates=tuple(rate * model.output_stride // stated_at for rate in aspp_rates),
    )
    built = skeleton(config)
    advice = "model: cannot be saved, because its configuration does not describe it"
    try:
        compare(built, model.state_dict(), "model")
    except WeightsError as error:
        reason = str(error).removeprefix("model: of another architecture: ").partition(";")[0]
        raise WeightsError(
            f"{advice}: {reason}; for another number of classes, make the model with model.with_classes(n)"
        ) from error
    for name, conv in built.named_modules():
        own = model.get_submodule(name)
        if not (isinstance(conv, AtrousConv2d) and isinstance(own, AtrousConv2d)):
            continue
        if (own.rate, own.stride) != (conv.rate, conv.stride):
            raise WeightsError(
                f"{advice}: {name} has rate {own.rate} and stride {own.stride[0]}, by its configuration {conv.rate} "
                f"and {conv.stride[0]}; change them with set_output_stride, or save its state_dict() instead"
            )
    return config
